import type { Job, PodFailurePolicyRule } from '#kinds/generated/types/batch_v1.ts';
import type { ContainerStatus, Pod } from '#kinds/generated/types/core_v1.ts';

export type FailureAction = 'FailJob' | 'FailIndex' | 'Ignore' | 'Count';

/** What a Job's policy wants to be done about a failed pod, and a sentence about why; the default is to count it. */
export function failureAction(job: Job, pod: Pod): { readonly action: FailureAction; readonly message: string } {
  const rules = job.spec.podFailurePolicy?.rules ?? [];
  for (const [index, rule] of rules.entries()) {
    const why = matches(rule, pod);
    if (why === undefined) continue;
    const message = `${why} matching ${rule.action} rule at index ${index}`;
    return { action: rule.action as FailureAction, message };
  }
  return { action: 'Count', message: '' };
}

function matches(rule: PodFailurePolicyRule, pod: Pod): string | undefined {
  const key = `${pod.metadata.namespace}/${pod.metadata.name}`;
  if (rule.onExitCodes !== undefined) {
    const { containerName, operator, values } = rule.onExitCodes;
    const statuses: readonly ContainerStatus[] = [
      ...(pod.status?.initContainerStatuses ?? []),
      ...(pod.status?.containerStatuses ?? []),
    ];
    for (const { name, state } of statuses) {
      const exitCode = state?.terminated?.exitCode;
      // A container that ended well has no part in the pod's failure.
      if (exitCode === undefined || exitCode === 0 || (containerName ?? name) !== name) continue;
      if (values.includes(exitCode) === (operator === 'In')) {
        return `Container ${name} for pod ${key} failed with exit code ${exitCode}`;
      }
    }
    return undefined;
  }
  for (const { type, status = 'True' } of rule.onPodConditions ?? []) {
    if (pod.status?.conditions?.some((condition) => condition.type === type && condition.status === status)) {
      return `Pod ${key} has condition ${type}`;
    }
  }
  return undefined;
}
