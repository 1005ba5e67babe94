import type { ParamKind, ParamRef } from '#kinds/generated/types/admissionregistration_v1.ts';
import { matchesLabels, selectorOf } from '#machinery/labels.ts';
import { type ApiObject, parseApiVersion } from '#machinery/meta.ts';
import type { Registry } from '../../registry/registry.ts';
import { inServedVersion, readyToServe, type ServedResource } from '../../resources/resource.ts';
import { objectKey } from '../../resources/storage-keys.ts';

/** The kind that a policy takes its params from. @throws Error when the server has no such kind. */
export function paramResource({ resources }: Registry, paramKind: ParamKind): ServedResource {
  const { apiVersion = '', kind = '' } = paramKind;
  const found = resources.forKind({ ...parseApiVersion(apiVersion), kind });
  if (found?.storage === undefined) {
    throw new Error(`failed to find resource referenced by paramKind: '${apiVersion}, Kind=${kind}'`);
  }
  return found;
}

/**
 * The objects that a binding names as its params, as they are now. A policy that takes none gets undefined, once. No
 * objects at all: the policy has nothing to say. @throws Error for a binding that cannot be followed.
 */
export async function collectParams(
  resource: ServedResource | undefined,
  paramRef: ParamRef | undefined,
  requestNamespace: string,
): Promise<readonly (ApiObject | undefined)[]> {
  if (resource === undefined || paramRef === undefined) return [undefined];
  const namespace = paramNamespace(resource, paramRef, requestNamespace);
  const params = await find(resource, paramRef, namespace);
  if (params.length === 0 && paramRef.parameterNotFoundAction === 'Deny') {
    throw new Error('no params found for policy binding with `Deny` parameterNotFoundAction');
  }
  return params;
}

/** '' for kinds without namespaces. */
function paramNamespace({ kind }: ServedResource, { namespace = '' }: ParamRef, requestNamespace: string): string {
  if (!kind.namespaced) {
    if (namespace === '') return '';
    throw new Error('paramRef.namespace must not be provided for a cluster-scoped `paramKind`');
  }
  if (namespace !== '') return namespace;
  if (requestNamespace !== '') return requestNamespace;
  throw new Error('cannot use namespaced paramRef in policy binding that matches cluster-scoped resources');
}

async function find(
  resource: ServedResource,
  { name = '', selector }: ParamRef,
  namespace: string,
): Promise<readonly ApiObject[]> {
  const { cache } = resource.storage!;
  if (name !== '' && selector !== undefined) {
    throw new Error('paramRef.name and paramRef.selector are mutually exclusive');
  }
  if (name === '' && selector === undefined) throw new Error('one of name or selector must be provided');
  const parsed = selectorOf(selector);
  const named = cache.get(objectKey({ namespace: namespace === '' ? undefined : namespace, name }));
  const values =
    name !== ''
      ? named === undefined
        ? []
        : [named.value]
      : Array.from(cache.entries(namespace === '' ? undefined : namespace), ({ value }) => value).filter((value) =>
          matchesLabels(parsed, value.object.metadata.labels),
        );
  const pending = readyToServe(resource, values);
  if (pending !== undefined) await pending;
  return values.map((value) => inServedVersion(resource, value).object);
}
