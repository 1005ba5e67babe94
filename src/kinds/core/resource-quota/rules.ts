import type * as core from '#kinds/generated/types/core_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { type ResourceList, roundResources } from '#kinds/resource-list.ts';
import { compareQuantities, quantity } from '#machinery/quantity.ts';
import { validateResourceQuota, validateResourceQuotaStatusUpdate, validateResourceQuotaUpdate } from './validation.ts';

export const resourceQuotaRules: KindRules<core.ResourceQuota> = {
  defaults(quota) {
    roundResources(quota.spec?.hard as ResourceList | undefined);
  },
  validate: validateResourceQuota,
  validateUpdate: validateResourceQuotaUpdate,
  validateStatusUpdate: validateResourceQuotaStatusUpdate,
  warnings: (quota, old) => (old === undefined ? quotaWarnings(quota) : []),
  hasGeneration: false,
};

/** What is requested is within what it is limited to. */
function quotaWarnings({ spec }: core.ResourceQuota): string[] {
  const { hard = {} } = spec ?? {};
  return ['cpu', 'memory', 'storage', 'ephemeral-storage'].flatMap((name) => {
    const limits = `limits.${name}`;
    const isPlain = hard[`requests.${name}`] === undefined && (name === 'cpu' || name === 'memory');
    const requests = isPlain ? name : `requests.${name}`;
    const [request, limit] = [hard[requests], hard[limits]];
    if (request === undefined || limit === undefined) return [];
    if (compareQuantities(quantity(request), quantity(limit)) <= 0) return [];
    return [`ResourceQuota ${requests} (${request}) should be less than ${limits} (${limit})`];
  });
}
