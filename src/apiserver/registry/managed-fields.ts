import { trackUpdate } from '#machinery/apply/index.ts';
import { type ApiObject, apiVersionOf, type ManagedFieldsEntry, type Mutable } from '#machinery/meta.ts';
import type { Operation } from './operation.ts';
import { otherVersions } from './other-versions.ts';
import type { Registry } from './registry.ts';
import { resetFieldsOf } from './reset-fields.ts';

/**
 * Notes who owns what after a create, update or patch: called with the client's wish, before the server adds to it. A
 * promise only where a webhook has to convert the object into the version of somebody else's fields.
 */
export function trackOwnership(
  registry: Registry,
  operation: Operation,
  object: Mutable<ApiObject>,
  old: ApiObject | undefined,
): Promise<void> | undefined {
  const { resource, subresource, options, user } = operation;
  const take = (entries: readonly ManagedFieldsEntry[]): void => {
    if (entries.length === 0) delete object.metadata.managedFields;
    else object.metadata.managedFields = entries as Mutable<ApiObject>['metadata']['managedFields'] & object;
  };
  const entries = trackUpdate({
    old,
    new: object as ApiObject,
    schema: resource.schema,
    manager: options.fieldManager ?? managerOf(user.name),
    apiVersion: apiVersionOf(resource.kind),
    versions: otherVersions(registry.resources, resource, subresource),
    subresource,
    now: registry.environment.clock.now(),
    resetFields: resetFieldsOf(resource, subresource),
    emptied: operation.emptied,
  });
  if (!(entries instanceof Promise)) return void take(entries);
  // What cannot be judged in some version is not tracked any more: a write never fails for it.
  return entries.then(take, () => take([]));
}

/**
 * Components in this process have no user agent: `system:serviceaccount:kube-system:x` writes as `x`, and the API
 * server itself as its program.
 */
function managerOf(user: string): string {
  const name = user.slice(user.lastIndexOf(':') + 1);
  return name === 'apiserver' ? 'kube-apiserver' : name;
}
