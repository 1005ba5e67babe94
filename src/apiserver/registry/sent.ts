import { cloneObject, cloneSent } from '#machinery/clone.ts';
import type { ApiObject, Mutable } from '#machinery/meta.ts';
import type { Operation } from './operation.ts';

/**
 * A copy of what a client sent, to be changed; that some of it was empty is not forgotten. Nobody changes the labels,
 * owners and the like in their place, nor what a status is written beside: what is the `current` object's very own
 * stays it.
 */
export function copyOf(
  { emptied, subresource }: Pick<Operation, 'emptied' | 'subresource'>,
  object: ApiObject,
  current?: ApiObject,
): Mutable<ApiObject> {
  if (emptied?.isAny === true) return cloneSent(object);
  return cloneObject(object, current, subresource === 'status' ? 'all' : 'metadata');
}

/**
 * The object as it is kept: nobody can tell any more that some of it was sent empty, so that defaults take its place, as
 * they do upstream when the object is read back.
 */
export function forKeeping({ emptied, resource }: Operation, object: Mutable<ApiObject>): Mutable<ApiObject> {
  if (emptied?.isAny !== true) return object;
  const kept = cloneObject(object);
  resource.rules.defaults?.(kept);
  return kept;
}
