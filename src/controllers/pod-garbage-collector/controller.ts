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
  setup(context) {
    const { clock } = context.environment;
    const pods: Informer<Pod> = context.watch(PodKind, (pod) => (needsSweep(pod, pods, nodes) ? [sweepKey] : []));
    const nodes: Informer<Node> = context.watch(NodeKind, (_, { type }) => (type === 'deleted' ? [sweepKey] : []));
    pods.index('node', byNodeName);
    const missingSince = new Map<string, number>();
    return async (_, turn) => await sweep({ pods, nodes, missingSince, nowMs: clock.now() }, turn);
  },
});

interface Sweep {
  readonly pods: Informer<Pod>;
  readonly nodes: Informer<Node>;
  /** Node names that pods name and that do not exist, with the time that was first noticed. */
  readonly missingSince: Map<string, number>;
  readonly nowMs: number;
}

function needsSweep(pod: Pod, pods: Informer<Pod>, nodes: Informer<Node>): boolean {
  const node = pod.spec?.nodeName ?? '';
  if (node === '') return pod.metadata.deletionTimestamp !== undefined;
  return (isPodTerminal(pod) && pods.size > terminatedPodLimit) || nodes.get(undefined, node) === undefined;
}

async function sweep(state: Sweep, turn: Turn): Promise<ReconcileResult> {
  const waiting = await deleteOrphans(state, turn);
  for (const pod of state.pods.list()) {
    if ((pod.spec?.nodeName ?? '') === '' && pod.metadata.deletionTimestamp !== undefined) {
      await remove(pod, state, turn, undefined);
    }
  }
  const finished = [...state.pods.list()].filter(
    (pod) => isPodTerminal(pod) && pod.metadata.deletionTimestamp === undefined,
  );
  const surplus = finished.length - terminatedPodLimit;
  if (surplus > 0) {
    const createdMs = ({ metadata }: Pod) => parseTime(metadata.creationTimestamp ?? '');
    finished.sort((left, right) => createdMs(left) - createdMs(right));
    for (const pod of finished.slice(0, surplus)) await remove(pod, state, turn, undefined);
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
    const target = { reason: 'DeletionByPodGC', message: 'PodGC: node no longer exists' };
    for (const pod of byNode.get(name)) await remove(pod, state, turn, target);
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

/** Nobody is left to stop its containers: it goes at once, marked as failed unless it had finished. */
async function remove(
  pod: Pod,
  { nowMs }: Sweep,
  { client, signal }: Turn,
  target: { readonly reason: string; readonly message: string } | undefined,
): Promise<void> {
  const { name = '', namespace, uid } = pod.metadata;
  if (target !== undefined && !isPodTerminal(pod)) {
    await disruptPod({ client, signal }, pod, { ...target, nowMs, phase: 'Failed' }, { gracePeriodSeconds: 0 });
    return;
  }
  const preconditions = uid === undefined ? {} : { preconditions: { uid } };
  try {
    await client.delete(PodKind, { name, namespace }, { gracePeriodSeconds: 0, ...preconditions, signal });
  } catch (error) {
    if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error;
  }
}
