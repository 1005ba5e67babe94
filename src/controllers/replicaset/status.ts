import { messageOf } from '#client/failures.ts';
import { isPodAvailable, isPodReady, isPodTerminal, isPodTerminating } from '#kinds/core/pod/state.ts';
import type { ReplicaSetCondition, ReplicaSetStatus } from '#kinds/generated/types/apps_v1.ts';
import type { Pod } from '#kinds/generated/types/core_v1.ts';
import { formatTime } from '#machinery/time.ts';

export interface ReplicaFailure {
  readonly reason: 'FailedCreate' | 'FailedDelete';
  readonly error: unknown;
}

/** The status that the pods amount to. `active` are those that count as replicas, `all` everything controlled. */
export function replicaStatus(options: {
  readonly old: ReplicaSetStatus | undefined;
  readonly generation: number;
  readonly templateLabels: Readonly<Record<string, string>>;
  readonly minReadySeconds: number;
  readonly active: readonly Pod[];
  readonly all: readonly Pod[];
  readonly failure: ReplicaFailure | undefined;
  readonly nowMs: number;
}): ReplicaSetStatus {
  const { active, nowMs, minReadySeconds } = options;
  const wanted = Object.entries(options.templateLabels);
  let fullyLabeled = 0;
  let ready = 0;
  let available = 0;
  for (const pod of active) {
    if (wanted.every(([key, value]) => pod.metadata.labels?.[key] === value)) fullyLabeled++;
    if (!isPodReady(pod)) continue;
    ready++;
    if (isPodAvailable(pod, minReadySeconds, nowMs)) available++;
  }
  const conditions = failureConditions(options.old?.conditions ?? [], options.failure, nowMs);
  return {
    replicas: active.length,
    ...counted('fullyLabeledReplicas', fullyLabeled),
    ...counted('readyReplicas', ready),
    ...counted('availableReplicas', available),
    terminatingReplicas: options.all.filter((pod) => isPodTerminating(pod) && !isPodTerminal(pod)).length,
    observedGeneration: options.generation,
    ...(conditions.length === 0 ? {} : { conditions }),
  };
}

/** Zero is left out, as Kubernetes writes these counts. */
function counted<Name extends string>(name: Name, count: number): { readonly [Key in Name]?: number } {
  return count === 0 ? {} : ({ [name]: count } as { readonly [Key in Name]: number });
}

function failureConditions(
  old: readonly ReplicaSetCondition[],
  failure: ReplicaFailure | undefined,
  nowMs: number,
): readonly ReplicaSetCondition[] {
  const others = old.filter((condition) => condition.type !== 'ReplicaFailure');
  if (failure === undefined) return others;
  const current = old.find((condition) => condition.type === 'ReplicaFailure');
  // The first failure of a row stays: the message of each retry would write the status again and again.
  if (current !== undefined) return old;
  const { reason, error } = failure;
  const lastTransitionTime = formatTime(nowMs);
  return [...others, { type: 'ReplicaFailure', status: 'True', reason, message: messageOf(error), lastTransitionTime }];
}
