import { cloneObject, cloneSent } from '#machinery/clone.ts';
import type { ApiObject, Mutable } from '#machinery/meta.ts';
import type { Operation } from './operation.ts';

/** A copy of what a client sent, to be changed; that some of it was empty is not forgotten. */
export function copyOf({ emptied }: Operation, object: ApiObject): Mutable<ApiObject> {
  return emptied?.isAny === true ? cloneSent(object) : cloneObject(object);
}

/** The object as it is kept: nobody can tell any more that some of it was sent empty. */
export function forKeeping({ emptied }: Operation, object: ApiObject): Mutable<ApiObject> {
  return emptied?.isAny === true ? cloneObject(object) : (object as Mutable<ApiObject>);
}
