import { isPodAvailable, isPodReady, isPodTerminal, isPodTerminating } from '#kinds/core/pod/state.ts';
import type { StatefulSet } from '#kinds/generated/types/apps_v1.ts';
import type { Pod } from '#kinds/generated/types/core_v1.ts';
import { resolveIntOrPercent } from '../shared/int-or-percent.ts';
import { revisionHashLabel } from '../shared/revisions.ts';
import { ordinalOf } from './pod.ts';

/** What to do next to the pods of a set. */
export interface Plan {
  /** Ordinals to make, each from the current or the newest template. */
  readonly create: readonly { readonly ordinal: number; readonly revision: 'current' | 'update' }[];
  readonly remove: readonly Pod[];
  /** Finished pods that are removed to be made again. */
  readonly recreate: readonly Pod[];
}

export interface PlanInput {
  readonly set: StatefulSet;
  readonly pods: readonly Pod[];
  readonly updateRevision: string;
  readonly currentRevision: string;
  readonly nowMs: number;
}

/**
 * The next step. With the ordered policy one pod is moved at a time, and only when all before it are ready; with the
 * parallel policy nothing waits, but for an update, which always goes from the highest ordinal down.
 */
export function planStep(input: PlanInput): Plan {
  const { set, pods } = input;
  const start = set.spec.ordinals?.start ?? 0;
  const end = start + (set.spec.replicas ?? 1);
  const byOrdinal = new Map(pods.flatMap((pod) => ordered(ordinalOf(set, pod), pod)));
  const isOrdered = set.spec.podManagementPolicy !== 'Parallel';
  const plan = {
    create: [] as { ordinal: number; revision: 'current' | 'update' }[],
    remove: [] as Pod[],
    recreate: [] as Pod[],
  };
  for (let ordinal = start; ordinal < end; ordinal++) {
    const pod = byOrdinal.get(ordinal);
    const wait = growAt(input, ordinal, pod, plan);
    if (wait && isOrdered) return plan;
  }
  const condemned = [...byOrdinal].filter(([ordinal]) => ordinal < start || ordinal >= end);
  condemned.sort(([left], [right]) => right - left);
  const firstUnhealthy = [...byOrdinal].sort(([left], [right]) => left - right).find(([, pod]) => !isHealthy(pod))?.[1];
  for (const [, pod] of condemned) {
    if (isPodTerminating(pod)) {
      if (isOrdered) return plan;
      continue;
    }
    // One that is broken may go; but while another is broken, a healthy one stays.
    if (isOrdered && firstUnhealthy !== undefined && firstUnhealthy !== pod && !isHealthy(pod)) return plan;
    plan.remove.push(pod);
    if (isOrdered) return plan;
  }
  if (set.spec.updateStrategy?.type !== 'OnDelete') planUpdate(input, byOrdinal, { start, end }, plan);
  return plan;
}

function ordered(ordinal: number | undefined, pod: Pod): [number, Pod][] {
  return ordinal === undefined ? [] : [[ordinal, pod]];
}

/** @returns whether an ordered set must stop here. */
function growAt(
  input: PlanInput,
  ordinal: number,
  pod: Pod | undefined,
  plan: {
    readonly create: { ordinal: number; revision: 'current' | 'update' }[];
    readonly recreate: Pod[];
    readonly remove: Pod[];
  },
): boolean {
  if (pod === undefined) {
    plan.create.push({ ordinal, revision: revisionFor(input, ordinal) });
    return true;
  }
  if (isPodTerminal(pod)) {
    if (!isPodTerminating(pod)) plan.recreate.push(pod);
    return true;
  }
  if (isPodTerminating(pod)) return true;
  if (isPodAvailable(pod, input.set.spec.minReadySeconds ?? 0, input.nowMs)) return false;
  if (isAbandoned(input, ordinal, pod)) plan.remove.push(pod);
  return true;
}

/**
 * A pod that is down and belongs to a template that nobody wants any more would block the ordered policy for ever:
 * taking back a broken update must not need a hand.
 */
function isAbandoned({ set, updateRevision, currentRevision }: PlanInput, ordinal: number, pod: Pod): boolean {
  const { type, rollingUpdate } = set.spec.updateStrategy ?? {};
  const revision = pod.metadata.labels?.[revisionHashLabel];
  const isUpdated = ordinal >= (set.spec.ordinals?.start ?? 0) + (rollingUpdate?.partition ?? 0);
  return type !== 'OnDelete' && isUpdated && revision !== updateRevision && revision !== currentRevision;
}

/** A pod below the partition, or one that an update has not come to yet, is made again as it was. */
function revisionFor({ set, updateRevision, currentRevision }: PlanInput, ordinal: number): 'current' | 'update' {
  if (updateRevision === currentRevision) return 'update';
  const start = set.spec.ordinals?.start ?? 0;
  const { type, rollingUpdate } = set.spec.updateStrategy ?? {};
  if (type === 'OnDelete') return 'update';
  const partition = rollingUpdate?.partition ?? 0;
  if (rollingUpdate === undefined) return ordinal < start + (set.status?.currentReplicas ?? 0) ? 'current' : 'update';
  return ordinal < start + partition ? 'current' : 'update';
}

function planUpdate(
  { set, updateRevision, nowMs }: PlanInput,
  byOrdinal: ReadonlyMap<number, Pod>,
  { start, end }: { readonly start: number; readonly end: number },
  plan: { readonly remove: Pod[] },
): void {
  const { partition = 0, maxUnavailable } = set.spec.updateStrategy?.rollingUpdate ?? {};
  const minReady = set.spec.minReadySeconds ?? 0;
  const allowed = Math.max(1, resolveIntOrPercent(maxUnavailable ?? 1, set.spec.replicas ?? 1, { round: 'up' }));
  let unavailable = 0;
  for (let ordinal = start; ordinal < end; ordinal++) {
    const pod = byOrdinal.get(ordinal);
    if (pod === undefined || isPodTerminating(pod) || !isPodAvailable(pod, minReady, nowMs)) unavailable++;
  }
  for (let ordinal = end - 1; ordinal >= start + partition; ordinal--) {
    const pod = byOrdinal.get(ordinal);
    if (pod === undefined || isPodTerminating(pod)) continue;
    const isUp = isPodAvailable(pod, minReady, nowMs);
    if (pod.metadata.labels?.[revisionHashLabel] === updateRevision) {
      if (!isUp && allowed === 1) return;
      continue;
    }
    // An old one that is down anyway is replaced without using up the budget: a broken rollout can be repaired.
    if (isUp && unavailable >= allowed) return;
    plan.remove.push(pod);
    if (isUp) unavailable++;
    if (unavailable >= allowed) return;
  }
}

function isHealthy(pod: Pod): boolean {
  return pod.status?.phase === 'Running' && isPodReady(pod) && !isPodTerminating(pod);
}
