import type * as core from '#kinds/generated/types/core_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { type ResourceList, roundResources } from '#kinds/resource-list.ts';
import { validateResourceQuota, validateResourceQuotaStatusUpdate, validateResourceQuotaUpdate } from './validation.ts';

export const resourceQuotaRules: KindRules<core.ResourceQuota> = {
  defaults(quota) {
    roundResources(quota.spec?.hard as ResourceList | undefined);
  },
  validate: validateResourceQuota,
  validateUpdate: validateResourceQuotaUpdate,
  validateStatusUpdate: validateResourceQuotaStatusUpdate,
  hasGeneration: false,
};
