import type * as policy from '#kinds/generated/types/policy_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { nonNegative } from '#kinds/validation/common.ts';
import { validateConditions } from '#kinds/validation/conditions.ts';
import { validatePodDisruptionBudget } from './validation.ts';

const counts = ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const;

export const podDisruptionBudgetRules: KindRules<policy.PodDisruptionBudget> = {
  finalizerRule: 'any',
  validate: validatePodDisruptionBudget,
  validateStatusUpdate: ({ status }) => [
    ...validateConditions(status?.conditions, 'status.conditions'),
    ...counts.flatMap((field) => nonNegative(status?.[field], `status.${field}`)),
  ],
  prepareForCreate(budget) {
    budget.status = { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 };
  },
  allowUnconditionalUpdate: false,
};
