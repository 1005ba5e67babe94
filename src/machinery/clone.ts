import type { ApiObject, Mutable } from './meta.ts';
import { withEmptied } from './sent-empty.ts';

/**
 * A copy of an object that a writer may change. The managed fields, often the larger half of an object, are shared:
 * whoever changes them makes new ones. So is what the metadata has in common with what is `known`.
 * @param shared 'all': whatever else it has in common, for a writer who puts new parts in its place.
 */
export function cloneObject<T extends ApiObject>(
  object: T,
  known?: T,
  shared: 'metadata' | 'all' = 'metadata',
): Mutable<T> {
  const copy: Record<string, unknown> = {};
  const metadata: Record<string, unknown> = {};
  for (const key in object) {
    if (key === 'metadata') copy['metadata'] = metadata;
    else put(copy, key, object[key], shared === 'all' ? known?.[key] : undefined);
  }
  copy['metadata'] = metadata;
  const own = (object.metadata ?? {}) as Members;
  const knownMetadata = known?.metadata as Members | undefined;
  for (const key in own) {
    if (key === 'managedFields') metadata['managedFields'] = own[key];
    else put(metadata, key, own[key], knownMetadata?.[key]);
  }
  return copy as unknown as Mutable<T>;
}

/** A copy of a decoded object, which remembers as well what was sent empty. */
export function cloneSent<T extends ApiObject>(object: T): Mutable<T> {
  return cloneNoted(object) as Mutable<T>;
}

function cloneNoted(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(cloneNoted);
  const copy: Record<string, unknown> = {};
  for (const key in value) setMember(copy, key, cloneNoted((value as Record<string, unknown>)[key]));
  return withEmptied(copy, value);
}

/** A copy of a JSON value that may be changed without anybody else seeing it. */
export function cloneJson<T>(value: T): T {
  return cloneUnlike(value, undefined) as T;
}

type Members = Readonly<Record<string, unknown>>;

/** A copy that shares what is the very same at the same place of `known`. */
function cloneUnlike(value: unknown, known: unknown): unknown {
  if (value === null || typeof value !== 'object' || value === known) return value;
  const inner = typeof known === 'object' && known !== null ? (known as Members) : nothing;
  if (Array.isArray(value)) return value.map((item, index) => cloneUnlike(item, inner[index]));
  const copy: Record<string, unknown> = {};
  for (const key in value) put(copy, key, (value as Members)[key], inner[key]);
  return copy;
}

const nothing: Members = {};

function put(copy: Record<string, unknown>, key: string, value: unknown, known: unknown): void {
  setMember(copy, key, typeof value === 'object' ? cloneUnlike(value, known) : value);
}

function setMember(copy: Record<string, unknown>, key: string, member: unknown): void {
  // Plain assignment to `__proto__` would change the prototype instead of adding a field.
  if (key === '__proto__')
    Object.defineProperty(copy, key, { value: member, enumerable: true, configurable: true, writable: true });
  else copy[key] = member;
}
