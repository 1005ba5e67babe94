import type * as policy from '#kinds/generated/types/policy_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { validatePodDisruptionBudget } from '#kinds/validation/small-kinds.ts';

export const podDisruptionBudgetRules: KindRules<policy.PodDisruptionBudget> = {
  validate: validatePodDisruptionBudget,
  prepareForCreate(budget) {
    budget.status = { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 };
  },
  allowUnconditionalUpdate: false,
};
