import type { ApiObject } from '#machinery/meta.ts';
import type { ObjectRef } from './client.ts';

/** `namespace/name`, or `name` for what lives outside namespaces: how queues and caches name an object. */
export function keyOf(object: ApiObject): string {
  return keyFor(object.metadata.namespace, object.metadata.name ?? '');
}

export function keyFor(namespace: string | undefined, name: string): string {
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}

export function refOf(key: string): ObjectRef {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** Name and namespace of an object, for calls that take an ObjectRef. */
export function refTo(object: ApiObject): ObjectRef {
  const { name = '', namespace } = object.metadata;
  return namespace === undefined || namespace === '' ? { name } : { name, namespace };
}
