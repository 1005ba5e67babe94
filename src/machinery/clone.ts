import type { ApiObject, Mutable } from './meta.ts';

/**
 * A copy of an object that a writer may change. The managed fields, often the larger half of an object, are shared:
 * whoever changes them makes new ones.
 */
export function cloneObject<T extends ApiObject>(object: T): Mutable<T> {
  const { metadata, ...rest } = object;
  const { managedFields, ...ownMetadata } = metadata ?? {};
  const copy = cloneJson({ ...rest, metadata: ownMetadata }) as Mutable<ApiObject>;
  if (managedFields !== undefined)
    copy.metadata = { ...copy.metadata, managedFields } as Mutable<ApiObject>['metadata'];
  return copy as unknown as Mutable<T>;
}

/** A copy of a JSON value that may be changed without anybody else seeing it. */
export function cloneJson<T>(value: T): T {
  return cloneUnknown(value) as T;
}

function cloneUnknown(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(cloneUnknown);
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const member = cloneUnknown((value as Record<string, unknown>)[key]);
    // Plain assignment to `__proto__` would change the prototype instead of adding a field.
    if (key === '__proto__')
      Object.defineProperty(copy, key, { value: member, enumerable: true, configurable: true, writable: true });
    else copy[key] = member;
  }
  return copy;
}
