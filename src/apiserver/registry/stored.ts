import type { StoredValue } from '#storage/store.ts';
import { StoredObject } from '../cache/stored-object.ts';
import { inServedVersion, readyToServe, type ServedResource } from '../resources/resource.ts';
import type { Result } from './operation.ts';

/** The answer to a write that has been committed; a promise only where a webhook has to convert the object. */
export function stored(
  resource: ServedResource,
  committed: StoredValue,
  { created }: { readonly created: boolean },
): Result | Promise<Result> {
  const value = StoredObject.of(committed);
  const answer = (): Result => ({ type: 'object', value: inServedVersion(resource, value), created });
  const pending = readyToServe(resource, [value]);
  return pending === undefined ? answer() : pending.then(answer);
}
