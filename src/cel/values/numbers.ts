import { isInteger } from './integer.ts';
import { Double, Uint, type Value } from './value.ts';

/** A number of any of the three types. */
export type Numeric = number | bigint | Uint | Double;

export function isNumber(value: Value): value is Numeric {
  return isInteger(value) || value instanceof Double || value instanceof Uint;
}

/**
 * Compares by amount, whatever the types; where one is a double, at its precision. Undefined: one of them is not a
 * number (NaN).
 */
export function compareNumbers(a: Numeric, b: Numeric): -1 | 0 | 1 | undefined {
  const isApproximate = a instanceof Double || b instanceof Double;
  // JavaScript compares numbers and bigints by their mathematical values.
  const left = isApproximate ? Number(amount(a)) : amount(a);
  const right = isApproximate ? Number(amount(b)) : amount(b);
  if (left < right) return -1;
  if (left > right) return 1;
  return left >= right ? 0 : undefined;
}

function amount(value: Numeric): number | bigint {
  return typeof value === 'object' ? value.value : value;
}
