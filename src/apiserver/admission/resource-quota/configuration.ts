import type { ScopeRequirement } from '#kinds/core/resource-quota/scopes.ts';

/** A resource that may only be consumed where a quota covers it. */
export interface LimitedResource {
  readonly apiGroup: string;
  readonly resource: string;
  /** Texts, one of which a consumed name has to contain, as `requests.storage` or `.storageclass.`. */
  readonly matchContains: readonly string[];
  /** Scopes, one of which the object has to be in. */
  readonly matchScopes: readonly ScopeRequirement[];
}

interface Written {
  readonly limitedResources?: readonly Partial<LimitedResource>[];
}

/** ResourceQuotaConfiguration (resourcequota.admission.k8s.io/v1beta1, apiserver.config.k8s.io/v1). */
export function limitedResources(configuration: unknown): readonly LimitedResource[] {
  return ((configuration as Written | undefined)?.limitedResources ?? []).map(
    ({ apiGroup = '', resource = '', matchContains = [], matchScopes = [] }) => {
      if (resource === '') throw new Error('ResourceQuota configuration: limitedResources: resource is required');
      return { apiGroup, resource, matchContains, matchScopes };
    },
  );
}
