import { each, invalidAll } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { label1123Problems } from '#machinery/names.ts';

/** The key of items that have a name. */
export const byName = ({ name = '' }: { readonly name?: string }): string => name;

/** At most `max` items, or none is looked at; each right; and each once by its key, which is told last. */
export function validateSet<T>(
  items: readonly T[] | undefined,
  path: string,
  limits: { readonly max: number; readonly key?: (item: T) => string; readonly shown?: (item: T) => unknown },
  check: (item: T, path: string) => readonly FieldError[],
): FieldError[] {
  if (items === undefined) return [];
  const { max, key, shown = key } = limits;
  if (items.length > max) return [fieldError.tooMany(path, items.length, max)];
  const errors = each(items, path, check);
  if (key === undefined) return errors;
  const seen = new Set<string>();
  for (const [index, item] of items.entries()) {
    const identity = key(item);
    if (seen.has(identity)) errors.push(fieldError.duplicate(`${path}[${index}]`, shown?.(item)));
    seen.add(identity);
  }
  return errors;
}

/** Errors of keys are told at the map, those of values at their key, shortened where it is far too long. */
export function validateMap<T>(
  items: Readonly<Record<string, T>> | undefined,
  path: string,
  limits: { readonly max?: number; readonly shownBytes: number },
  checkKey: (key: string, path: string) => readonly FieldError[],
  check: (item: T, path: string) => readonly FieldError[],
): FieldError[] {
  const entries = Object.entries(items ?? {});
  const { max = Number.POSITIVE_INFINITY, shownBytes } = limits;
  if (entries.length > max) return [fieldError.tooMany(path, entries.length, max)];
  return entries.flatMap(([key, item]) => [
    ...checkKey(key, path),
    ...check(item, `${path}[${shortened(key, shownBytes)}]`),
  ]);
}

function shortened(text: string, length: number): string {
  if (text.length <= length) return text;
  const kept = length - 3;
  return `${text.slice(0, Math.floor((kept + 1) / 2))}...${text.slice(text.length - Math.floor(kept / 2))}`;
}

export function validateName(name: string | undefined, path: string): FieldError[] {
  return invalidAll(path, name ?? '', label1123Problems(name ?? ''));
}
