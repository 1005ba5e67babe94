import type * as scheduling from '#kinds/generated/types/scheduling_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { validatePriorityClass, validatePriorityClassUpdate } from './validation.ts';

export const priorityClassRules: KindRules<scheduling.PriorityClass> = {
  validate: validatePriorityClass,
  validateUpdateOnly: true,
  validateUpdate: validatePriorityClassUpdate,
  defaults(priority) {
    priority.preemptionPolicy ??= 'PreemptLowerPriority';
  },
  prepareForCreate(priority) {
    priority.metadata.generation = 1;
  },
};
