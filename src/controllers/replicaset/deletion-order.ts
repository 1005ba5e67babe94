import { isPodReady, podCondition } from '#kinds/core/pod/state.ts';
import type { Pod } from '#kinds/generated/types/core_v1.ts';
import { parseTime } from '#machinery/time.ts';

/** Makes a pod go earlier (lower) or later (higher) when its set shrinks. */
const podDeletionCostAnnotation = 'controller.kubernetes.io/pod-deletion-cost';

const phaseOrder: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/**
 * The pods in the order in which a shrinking set gives them up: what serves least goes first, and among equals those
 * of a crowded node, so that a set stays spread. `crowd` says how many related active pods the pod's node has.
 */
export function inDeletionOrder(pods: readonly Pod[], crowd: (pod: Pod) => number, nowMs: number): Pod[] {
  const ranked = pods.map((pod) => ({ pod, rank: rankOf(pod, crowd(pod), nowMs) }));
  ranked.sort((left, right) => {
    for (let index = 0; index < left.rank.length; index++) {
      const difference = left.rank[index]! - right.rank[index]!;
      // Infinities stand for "never"; their difference is NaN.
      if (difference !== 0 && !Number.isNaN(difference)) return difference;
    }
    return (left.pod.metadata.uid ?? '') < (right.pod.metadata.uid ?? '') ? -1 : 1;
  });
  return ranked.map(({ pod }) => pod);
}

/** How much older than the youngest ready pod each ready pod is that goes, rounded down as upstream does. */
export function ageRatios(victims: readonly Pod[], pods: readonly Pod[], nowMs: number): readonly number[] {
  const ageMs = ({ metadata }: Pod) => nowMs - parseTime(metadata.creationTimestamp ?? '');
  const youngestMs = Math.min(...pods.filter(isPodReady).map(ageMs));
  if (!(youngestMs > 0)) return [];
  return victims.filter(isPodReady).map((pod) => Math.floor(ageMs(pod) / youngestMs));
}

/** Numbers to compare one after the other; the smaller goes first. */
function rankOf(pod: Pod, crowd: number, nowMs: number): readonly number[] {
  const ready = isPodReady(pod);
  return [
    (pod.spec?.nodeName ?? '') === '' ? 0 : 1,
    phaseOrder[pod.status?.phase ?? ''] ?? 0,
    ready ? 1 : 0,
    deletionCost(pod),
    -crowd,
    ready ? ageClass(podCondition(pod, 'Ready')?.lastTransitionTime, nowMs) : 0,
    -restarts(pod),
    ageClass(pod.metadata.creationTimestamp, nowMs),
  ];
}

function deletionCost(pod: Pod): number {
  const text = pod.metadata.annotations?.[podDeletionCostAnnotation] ?? '0';
  // A value that admission would refuse today counts as none.
  return /^(0|-?[1-9]\d*)$/.test(text) ? Number(text) : 0;
}

/** Ages that differ by less than a factor of two count as equal (LogarithmicScaleDown); never goes first. */
function ageClass(time: string | undefined, nowMs: number): number {
  const sinceMs = parseTime(time ?? '');
  if (Number.isNaN(sinceMs)) return Number.NEGATIVE_INFINITY;
  const ageMs = nowMs - sinceMs;
  // Nanoseconds, as upstream: the classes' borders are the same.
  return ageMs <= 0 ? -1 : Math.floor(Math.log2(ageMs * 1e6));
}

function restarts(pod: Pod): number {
  return (pod.status?.containerStatuses ?? []).reduce((most, { restartCount }) => Math.max(most, restartCount), 0);
}
