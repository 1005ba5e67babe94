import type * as scheduling from '#kinds/generated/types/scheduling_v1.ts';
import type { KindRules } from '#kinds/kind.ts';

export const priorityClassRules: KindRules<scheduling.PriorityClass> = {
  defaults(priority) {
    priority.preemptionPolicy ??= 'PreemptLowerPriority';
  },
  prepareForCreate(priority) {
    priority.metadata.generation = 1;
  },
};
