import { badRequest } from '#machinery/errors.ts';
import type { ApiObject, Mutable } from '#machinery/meta.ts';
import type { Operation } from './operation.ts';

/** The object must be the one that the path speaks of. */
export function checkLocation({ resource, name, namespace }: Operation, { metadata }: ApiObject): void {
  if (resource.kind.namespaced && (metadata.namespace ?? '') !== '' && metadata.namespace !== namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  if ((metadata.name ?? '') === '')
    throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  if (metadata.name !== name)
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`);
}

/** What is in no namespace is so whatever its writer says; the others are where the path says. */
export function placeIn({ resource, namespace }: Operation, { metadata }: Mutable<ApiObject>): void {
  if (resource.kind.namespaced) metadata.namespace = namespace;
  else delete metadata.namespace;
}
