import { invalidAll } from '#kinds/validation/common.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { label1123Problems } from '#machinery/names.ts';

export type Item = { readonly name?: string };

/** At most `max` items, each once by its key, and each right. */
export function validateSet<T>(
  items: readonly T[] | undefined,
  path: string,
  limits: { readonly max: number; readonly key?: (item: T) => string },
  check: (item: T, path: string) => readonly FieldError[],
): FieldError[] {
  const { max, key } = limits;
  const seen = new Set<string>();
  const errors: FieldError[] = [];
  for (const [index, item] of (items ?? []).entries()) {
    const at = `${path}[${index}]`;
    errors.push(...check(item, at));
    const identity = key?.(item);
    if (identity === undefined) continue;
    if (seen.has(identity)) errors.push(fieldError.duplicate(at, identity));
    seen.add(identity);
  }
  const count = items?.length ?? 0;
  return count > max ? [...errors, fieldError.tooMany(path, count, max)] : errors;
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
