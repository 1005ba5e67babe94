import { badRequest } from '#machinery/errors.ts';
import type { ApiObject, Mutable, ObjectMeta } from '#machinery/meta.ts';
import type { Operation } from './operation.ts';

/** The object must be the one that the path speaks of. */
export function checkLocation(operation: Operation, { metadata }: ApiObject): void {
  const { name } = operation;
  checkNamespace(operation, metadata);
  if ((metadata.name ?? '') === '')
    throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  if (metadata.name !== name)
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
}

/** What somebody sends to a namespace is of no other. */
export function checkNamespace({ resource, namespace }: Operation, metadata: ObjectMeta): void {
  if (resource.kind.namespaced && (metadata.namespace ?? '') !== '' && metadata.namespace !== namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
}

/** What is in no namespace is so whatever its writer says; the others are where the path says. */
export function placeIn({ resource, namespace }: Operation, { metadata }: Mutable<ApiObject>): void {
  if (resource.kind.namespaced) metadata.namespace = namespace;
  else delete metadata.namespace;
}
