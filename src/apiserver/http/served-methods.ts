import { ApiError, badRequest, methodNotSupported, notFound } from '#machinery/errors.ts';
import type { ServedResource } from '../resources/resource.ts';
import type { ResourceRequest } from './request-info.ts';

/**
 * Why there is nothing at this place for this verb; undefined where there is. Upstream has a route for each place and
 * method of a built-in kind, and for custom kinds one that serves them all.
 */
export function unservedReason(
  request: ResourceRequest,
  resource: ServedResource,
  method = 'GET',
): ApiError | undefined {
  const { verb, name, namespace, subresource } = request;
  if (!methods.has(method) && !(method === 'OPTIONS' && subresource === 'proxy')) return methodNotAllowed();
  const { kind, verbs, subresources, custom } = resource;
  if (custom !== undefined) return unservedCustom(request, resource);
  const isOfAll = kind.namespaced && namespace === '';
  if (isOfAll && name !== '' && !lists.has(verb)) return nothingThere();
  if (!kind.namespaced && namespace !== '') return nothingThere();
  if (subresource !== '') {
    const served = subresources.get(subresource);
    if (served === undefined) return nothingThere();
    // A path that is handed on may have its own idea of `?watch=true`.
    return served.verbs.includes(lists.has(verb) ? 'get' : verb) ? undefined : methodNotAllowed();
  }
  const isNamed = name !== '';
  if (verbs.has(verb) && (isNamed ? verb !== 'create' : !needsName.has(verb)) && !(isOfAll && !lists.has(verb)))
    return undefined;
  return isNamed && !verbs.has('get') ? nothingThere() : methodNotAllowed();
}

function unservedCustom(
  { verb, name, subresource }: ResourceRequest,
  { kind, subresources }: ServedResource,
): ApiError | undefined {
  if (subresource === '') return name === '' && needsName.has(verb) ? badRequest('name must be provided') : undefined;
  const served = subresources.get(subresource);
  if (served === undefined) return notFound(kind, name);
  return served.verbs.includes(verb) ? undefined : methodNotSupported(kind, verb);
}

/** Those that stand for a verb: any other would pass for `GET`. */
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);
/** What is asked of all namespaces together; only these name an object, by a field selector, at the place of a list. */
const lists: ReadonlySet<string> = new Set(['list', 'watch']);
const needsName: ReadonlySet<string> = new Set(['update', 'patch']);

export function nothingThere(): ApiError {
  return new ApiError(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function methodNotAllowed(): ApiError {
  return new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
}
