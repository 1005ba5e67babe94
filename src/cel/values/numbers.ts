import { isInteger } from './integer.ts';
import { Double, Uint, type Value } from './value.ts';

/** A number of any of the three types. */
export type Numeric = number | bigint | Uint | Double;

export function isNumber(value: Value): value is Numeric {
  return isInteger(value) || value instanceof Double || value instanceof Uint;
}

/** Compares by amount, exactly, whatever the types. Undefined: one of them is not a number (NaN). */
export function compareNumbers(a: Numeric, b: Numeric): -1 | 0 | 1 | undefined {
  // JavaScript compares numbers and bigints by their mathematical values.
  const left = amount(a);
  const right = amount(b);
  if (left < right) return -1;
  if (left > right) return 1;
  return left >= right ? 0 : undefined;
}

function amount(value: Numeric): number | bigint {
  return typeof value === 'object' ? value.value : value;
}
