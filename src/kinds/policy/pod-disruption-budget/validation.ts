import type { PodDisruptionBudget } from '#kinds/generated/types/policy_v1.ts';
import { goStruct } from '#kinds/go-struct.ts';
import { invalidAll, nonNegative, notMoreThanAll, oneOf, validateLabelSelector } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { percentProblems } from '#machinery/names.ts';

export function validatePodDisruptionBudget({ spec = {} }: PodDisruptionBudget): FieldError[] {
  const { minAvailable, maxUnavailable } = spec;
  const errors: FieldError[] = [];
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    errors.push(
      fieldError.invalid(
        'spec',
        goStruct('policy.PodDisruptionBudgetSpec', spec),
        'minAvailable and maxUnavailable cannot be both set',
      ),
    );
  }
  for (const [field, value] of Object.entries({ minAvailable, maxUnavailable })) {
    if (value === undefined) continue;
    const amount =
      typeof value === 'number'
        ? nonNegative(value, `spec.${field}`)
        : invalidAll(`spec.${field}`, value, percentProblems(value));
    errors.push(...amount, ...notMoreThanAll(value, `spec.${field}`));
  }
  const policies = ['AlwaysAllow', 'IfHealthyBudget'];
  return [
    ...errors,
    ...validateLabelSelector(spec.selector, 'spec.selector'),
    ...oneOf(spec.unhealthyPodEvictionPolicy, policies, 'spec.unhealthyPodEvictionPolicy'),
  ];
}
