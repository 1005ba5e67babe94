/**
 * Lists and maps that a client sent empty. In an object they are absent, as they are in what is stored and sent; but
 * a Go server holds them until then, and some of its rules tell `[]` from nothing. They are remembered by the object
 * that would have them, so that they come and go with it.
 */
const emptied = new WeakMap<object, Record<string, unknown>>();

/** Whether a request sent anything empty: those that did not need no second look at their object. */
export class Emptied {
  isAny = false;

  /** Whether there is a place in the fields of `object` other than `but` that still has nothing: no default took it. */
  isIn(object: object, but: readonly string[]): boolean {
    return this.isAny && isBareIn(object, but);
  }
}

/** Remembers that `field` of `holder` came as `value`, which is `[]` or `{}`. */
export function noteEmptied(holder: object, field: string, value: unknown): void {
  const fields = emptied.get(holder) ?? {};
  fields[field] = value;
  emptied.set(holder, fields);
}

/** The fields of `holder` that a client sent empty, and how. */
export function emptiedFields(holder: object): Readonly<Record<string, unknown>> {
  return emptied.get(holder) ?? none;
}

const none: Readonly<Record<string, unknown>> = {};

/** Remembers of a copy what is known of the original. @returns the copy */
export function withEmptied<T extends object>(copy: T, original: object): T {
  const fields = emptied.get(original);
  if (fields !== undefined) emptied.set(copy, fields);
  return copy;
}

/** Whether a client sent `field` empty anywhere in `value`. */
export function hasEmptied(value: unknown, field: string): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return emptied.get(value)?.[field] !== undefined || Object.values(value).some((inner) => hasEmptied(inner, field));
}

function isBareIn(value: unknown, but: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const members = value as Readonly<Record<string, unknown>>;
  const counts = (field: string): boolean => !but.includes(field);
  return (
    Object.keys(emptiedFields(value)).some((field) => counts(field) && members[field] === undefined) ||
    Object.keys(members).some((field) => counts(field) && isBareIn(members[field], []))
  );
}

/** Whether a client sent something empty inside a list that `value` is, or has in it. */
export function hasEmptiedInList(value: unknown, isInList = false): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (isInList && emptied.has(value)) return true;
  const isInside = isInList || Array.isArray(value);
  return Object.values(value).some((inner) => hasEmptiedInList(inner, isInside));
}

/** Takes a field away, and that it was sent empty. */
export function dropField(holder: object, field: string): void {
  delete (holder as Record<string, unknown>)[field];
  delete emptied.get(holder)?.[field];
}
