import { codePointLength } from '../values/strings.ts';
import { ListValue, MapValue, OpaqueValue, OptionalValue, type Value } from '../values/value.ts';

/** What going through one code point or byte costs. */
export const traversal = 0.1;
/** What one code point of a regular expression costs: one in four begins something new. */
export const patternLength = 0.25;

/** Items, code points or bytes; everything else has a size of 1. */
export function sizeOf(value: Value): number {
  if (typeof value === 'string') return codePointLength(value);
  if (value instanceof ListValue || value instanceof MapValue) return value.size;
  if (value instanceof Uint8Array) return value.length;
  if (value instanceof OptionalValue && value.value !== undefined) return sizeOf(value.value);
  return value instanceof OpaqueValue ? value.costSize : 1;
}

/** What going through the whole value costs. */
export const traverse = (value: Value): number => Math.ceil(sizeOf(value) * traversal);
