import { trackUpdate } from '#machinery/apply/index.ts';
import { type ApiObject, apiVersionOf, type Mutable } from '#machinery/meta.ts';
import type { Operation } from './operation.ts';
import type { Registry } from './registry.ts';

/** Parts that a write through the object itself, or through its status, never owns. */
const resetByObject: readonly (readonly string[])[] = [['status']];
const resetByStatus: readonly (readonly string[])[] = [['spec']];

export function resetFieldsOf({ subresource, resource }: Operation): readonly (readonly string[])[] {
  if (subresource === 'status') return resource.custom?.statusResets ?? resetByStatus;
  return resource.subresources.has('status') ? resetByObject : [];
}

/** Notes who owns what after a create, update or patch: called with the client's wish, before the server adds to it. */
export function trackOwnership(
  registry: Registry,
  operation: Operation,
  object: Mutable<ApiObject>,
  old: ApiObject | undefined,
): void {
  const { resource, subresource, options, user } = operation;
  object.metadata.managedFields = trackUpdate({
    old,
    new: object as ApiObject,
    schema: resource.schema,
    manager: options.fieldManager ?? managerOf(user.name),
    apiVersion: apiVersionOf(resource.kind),
    subresource,
    now: registry.environment.clock.now(),
    resetFields: resetFieldsOf(operation),
  }) as Mutable<ApiObject>['metadata']['managedFields'] & object;
}

/** Components in this process have no user agent: `system:serviceaccount:kube-system:x` writes as `x`. */
function managerOf(user: string): string {
  return user.slice(user.lastIndexOf(':') + 1);
}
