/**
 * Lists and maps that a client sent empty. In an object they are absent, as they are in what is stored and sent; but
 * a Go server holds them until then, and some of its rules tell `[]` from nothing.
 */
const emptied = new WeakMap<object, Record<string, unknown>>();

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

/** Takes a field away, and that it was sent empty. */
export function dropField(holder: object, field: string): void {
  delete (holder as Record<string, unknown>)[field];
  delete emptied.get(holder)?.[field];
}
