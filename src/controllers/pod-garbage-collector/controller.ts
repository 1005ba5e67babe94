import type { Counter } from '#base/metrics.ts';
import { defineController, done, type ReconcileResult, retryAfter, type Turn } from '#client/controller.ts';
import type { Informer } from '#client/informer.ts';
import { isPodTerminal } from '#kinds/core/pod/state.ts';
import { Node as NodeKind, Pod as PodKind } from '#kinds/generated/handles.ts';
import type { Node, Pod } from '#kinds/generated/types/core_v1.ts';
import { isReason } from '#machinery/errors.ts';
import { parseTime } from '#machinery/time.ts';
import { byNodeName, disruptPod } from '../shared/pods.ts';

/** Finished pods that may stay for their logs (`--terminated-pod-gc-threshold`). */
const terminatedPodLimit = 12_500;
/** A node that is missing may come back within this time. */
const quarantineMs = 40_000;
const sweepMs = 20_000;
const sweepKey = 'sweep';

/** Deletes pods that nobody else would: of nodes that are gone, never scheduled and told to go, and too many finished. */
export const podGarbageCollector = defineController({
  name: 'pod-garbage-collector',
  queue: 'orphaned_pods_nodes',
  setup(context) {
    const { clock } = context.environment;
    const pods: Informer<Pod> = context.watch(PodKind, (pod) => (needsSweep(pod, pods, nodes) ? [sweepKey] : []));
    const nodes: Informer<Node> = context.watch(NodeKind, (_, { type }) => (type === 'deleted' ? [sweepKey] : []));
    pods.index('node', byNodeName);
    const missingSince = new Map<string, number>();
    const { metrics } = context;
    const counts = {
      deleted: metrics.counter('pod_gc_collector_force_delete_pods_total', 'Pods that were deleted at once.'),
      failed: metrics.counter('pod_gc_collector_force_delete_pod_errors_total', 'Pods for which that failed.'),
    };
    return async (_, turn) => await sweep({ pods, nodes, missingSince, counts, nowMs: clock.now() }, turn);
  },
});

interface Sweep {
  readonly pods: Informer<Pod>;
  readonly nodes: Informer<Node>;
  /** Node names that pods name and that do not exist, with the time that was first noticed. */
  readonly missingSince: Map<string, number>;
  readonly counts: Readonly<Record<'deleted' | 'failed', Counter>>;
  readonly nowMs: number;
}

/** Why a pod goes, as upstream's metrics call it. */
type Reason = 'terminated' | 'orphaned' | 'unscheduled';

function needsSweep(pod: Pod, pods: Informer<Pod>, nodes: Informer<Node>): boolean {
  const node = pod.spec?.nodeName ?? '';
  if (node === '') return pod.metadata.deletionTimestamp !== undefined;
  return (isPodTerminal(pod) && pods.size > terminatedPodLimit) || nodes.get(undefined, node) === undefined;
}

async function sweep(state: Sweep, turn: Turn): Promise<ReconcileResult> {
  const waiting = await deleteOrphans(state, turn);
  for (const pod of state.pods.list()) {
    if ((pod.spec?.nodeName ?? '') === '' && pod.metadata.deletionTimestamp !== undefined) {
      await remove(pod, state, turn, 'unscheduled');
    }
  }
  const finished = [...state.pods.list()].filter(
    (pod) => isPodTerminal(pod) && pod.metadata.deletionTimestamp === undefined,
  );
  const surplus = finished.length - terminatedPodLimit;
  if (surplus > 0) {
    const createdMs = ({ metadata }: Pod) => parseTime(metadata.creationTimestamp ?? '');
    finished.sort((left, right) => createdMs(left) - createdMs(right));
    for (const pod of finished.slice(0, surplus)) await remove(pod, state, turn, 'terminated');
  }
  return waiting ? retryAfter(sweepMs) : done;
}

/** @returns whether some node is missing but not for long enough. */
async function deleteOrphans(state: Sweep, turn: Turn): Promise<boolean> {
  const { pods, nodes, missingSince, nowMs } = state;
  const byNode = pods.index('node', byNodeName);
  const missing = [...byNode.values()].filter((name) => nodes.get(undefined, name) === undefined);
  for (const name of missingSince.keys()) if (!missing.includes(name)) missingSince.delete(name);
  let waiting = false;
  for (const name of missing) {
    const sinceMs = missingSince.get(name) ?? nowMs;
    missingSince.set(name, sinceMs);
    if (nowMs - sinceMs < quarantineMs) {
      waiting = true;
      continue;
    }
    if (!(await isGone(name, turn))) continue;
    for (const pod of byNode.get(name)) await remove(pod, state, turn, 'orphaned');
  }
  return waiting;
}

async function isGone(name: string, { client, signal }: Turn): Promise<boolean> {
  try {
    await client.get(NodeKind, { name }, { signal });
    return false;
  } catch (error) {
    if (isReason(error, 'NotFound')) return true;
    throw error;
  }
}

async function remove(pod: Pod, { counts, nowMs }: Sweep, turn: Turn, reason: Reason): Promise<void> {
  const labels = { namespace: pod.metadata.namespace ?? '', reason };
  try {
    await removeAtOnce(pod, nowMs, turn, { isOrphan: reason === 'orphaned' });
  } catch (error) {
    counts.failed.add(labels);
    throw error;
  }
  counts.deleted.add(labels);
}

/** Nobody is left to stop its containers: it goes at once; an orphan is marked as failed unless it had finished. */
async function removeAtOnce(
  pod: Pod,
  nowMs: number,
  { client, signal }: Turn,
  { isOrphan }: { readonly isOrphan: boolean },
): Promise<void> {
  const { name = '', namespace, uid } = pod.metadata;
  if (isOrphan && !isPodTerminal(pod)) {
    const target = { reason: 'DeletionByPodGC', message: 'PodGC: node no longer exists', nowMs, phase: 'Failed' };
    await disruptPod({ client, signal }, pod, target, { gracePeriodSeconds: 0 });
    return;
  }
  const preconditions = uid === undefined ? {} : { preconditions: { uid } };
  try {
    await client.delete(PodKind, { name, namespace }, { gracePeriodSeconds: 0, ...preconditions, signal });
  } catch (error) {
    if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error;
  }
}
