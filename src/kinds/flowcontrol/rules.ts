import type * as flowcontrol from '#kinds/generated/types/flowcontrol_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { validateConditions, validateFlowSchema, validatePriorityLevel } from './validation.ts';

export const flowSchemaRules: KindRules<flowcontrol.FlowSchema> = {
  compareRows: (left, right) =>
    (left.spec?.matchingPrecedence ?? 0) - (right.spec?.matchingPrecedence ?? 0) ||
    ((left.metadata.name ?? '') < (right.metadata.name ?? '') ? -1 : 1),
  defaults({ spec }) {
    if (spec !== undefined && (spec.matchingPrecedence ?? 0) === 0) spec.matchingPrecedence = 1000;
  },
  validate: validateFlowSchema,
  validateStatusUpdate: ({ status }) => validateConditions(status?.conditions),
};

export const priorityLevelConfigurationRules: KindRules<flowcontrol.PriorityLevelConfiguration> = {
  defaults({ spec }) {
    const { exempt, limited } = spec ?? {};
    if (exempt !== undefined) {
      exempt.nominalConcurrencyShares ??= 0;
      exempt.lendablePercent ??= 0;
    }
    if (limited === undefined) return;
    limited.nominalConcurrencyShares ??= 30;
    limited.lendablePercent ??= 0;
    const queuing = limited.limitResponse?.queuing;
    if (queuing === undefined) return;
    queuing.handSize ||= 8;
    queuing.queues ||= 64;
    queuing.queueLengthLimit ||= 50;
  },
  validate: validatePriorityLevel,
  validateStatusUpdate: ({ status }) => validateConditions(status?.conditions),
};
