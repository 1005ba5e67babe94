import type { Pod, PodCondition } from '#kinds/generated/types/core_v1.ts';
import { parseTime } from '#machinery/time.ts';

export function podCondition(pod: Pod, type: string): PodCondition | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type);
}

export function isPodReady(pod: Pod): boolean {
  return podCondition(pod, 'Ready')?.status === 'True';
}

/** Finished for good: no container will run again. */
export function isPodTerminal(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

export function isPodTerminating(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined;
}

/** Counts towards replicas: neither finished nor on its way out. */
export function isPodActive(pod: Pod): boolean {
  return !isPodTerminal(pod) && !isPodTerminating(pod);
}

/**
 * Milliseconds until a ready pod counts as available, having to be ready for `minReadySeconds` in a row; 0 when it is
 * available, undefined when it is not ready.
 */
export function untilPodAvailableMs(pod: Pod, minReadySeconds: number, nowMs: number): number | undefined {
  const ready = podCondition(pod, 'Ready');
  if (ready?.status !== 'True') return undefined;
  if (minReadySeconds === 0) return 0;
  const sinceMs = parseTime(ready.lastTransitionTime ?? '');
  if (Number.isNaN(sinceMs)) return undefined;
  return Math.max(0, sinceMs + minReadySeconds * 1000 - nowMs);
}

export function isPodAvailable(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  return untilPodAvailableMs(pod, minReadySeconds, nowMs) === 0;
}
