import { evaluatorOf } from '#kinds/core/resource-quota/usage.ts';
import { ResourceQuota } from '#kinds/generated/handles.ts';
import type { Registry } from '../../registry/registry.ts';
import type { AdmissionAttributes, PluginEntry } from '../plugin.ts';
import { QuotaBooks } from './books.ts';
import { limitedResources } from './configuration.ts';

/** A namespace never takes more than its quotas allow: https://kubernetes.io/docs/concepts/policy/resource-quotas/ */
export const resourceQuota: PluginEntry = {
  name: 'ResourceQuota',
  byDefault: true,
  create({ environment, configuration }) {
    const limitedEverywhere = limitedResources(configuration);
    const books = new WeakMap<Registry, QuotaBooks>();
    return {
      name: 'ResourceQuota',
      operations: ['CREATE', 'UPDATE'],
      start: (registry) => books.set(registry, new QuotaBooks(registry)),
      validate(attributes, registry) {
        const { namespace, resource } = attributes.request;
        if (!isCounted(attributes)) return undefined;
        const limited = limitedEverywhere.filter(
          ({ apiGroup, resource: plural }) => apiGroup === resource.kind.group && plural === resource.kind.resource,
        );
        if (limited.length === 0 && !hasQuota(registry, namespace)) return undefined;
        const evaluator = evaluatorOf(resource.kind);
        return books
          .get(registry)!
          .charge(namespace, { attributes, evaluator, limited, nowMs: environment.clock.now() });
      },
    };
  },
};

/** Whether the request may change what a quota counts. */
function isCounted({ operation, request }: AdmissionAttributes): boolean {
  const { resource, subresource, namespace } = request;
  const { kind } = resource;
  if (namespace === '' || resource.storage === undefined || kind.resource === 'events') return false;
  if (subresource !== '')
    return operation === 'UPDATE' && subresource === 'resize' && kind.group === '' && kind.resource === 'pods';
  return operation === 'CREATE' || evaluatorOf(kind).countsUpdates;
}

function hasQuota(registry: Registry, namespace: string): boolean {
  const { cache } = registry.resources.of(ResourceQuota).storage!;
  if (cache.size === 0) return false;
  return cache.entries(namespace).next().done !== true;
}
