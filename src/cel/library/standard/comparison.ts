import { comparesTexts } from '../../cost/calls.ts';
import {
  boolType,
  bytesType,
  type CelType,
  doubleType,
  durationType,
  intType,
  stringType,
  timestampType,
  uintType,
} from '../../types/types.ts';
import { compareNumbers, isNumber } from '../../values/numbers.ts';
import { compareBytes, compareStrings } from '../../values/strings.ts';
import { Duration, Timestamp } from '../../values/time.ts';
import { fail, noSuchOverload, type Value } from '../../values/value.ts';
import { costing, global } from '../define.ts';
import type { Overload } from '../library.ts';

/** The order of two values of one type, or of two numbers. Undefined: one is not a number (NaN). */
export function compare(a: Value, b: Value): -1 | 0 | 1 | undefined {
  if (isNumber(a) && isNumber(b)) return compareNumbers(a, b);
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b);
  if (a instanceof Timestamp && b instanceof Timestamp) return compareNumbers(a.nanos, b.nanos);
  if (a instanceof Duration && b instanceof Duration) return compareNumbers(a.nanos, b.nanos);
  if (typeof a === 'boolean' && typeof b === 'boolean') return compareNumbers(Number(a), Number(b));
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b);
  return noSuchOverload();
}

const ordered = (test: (order: -1 | 0 | 1) => boolean) => (a: Value, b: Value) => {
  const order = compare(a, b);
  return order === undefined ? fail('NaN values cannot be ordered') : test(order);
};

/** Two operand types of each comparison, and how overload ids name them. */
const pairs: readonly (readonly [string, CelType, CelType])[] = [
  ['bool', boolType, boolType],
  ['int64', intType, intType],
  ['int64_double', intType, doubleType],
  ['int64_uint64', intType, uintType],
  ['uint64', uintType, uintType],
  ['uint64_double', uintType, doubleType],
  ['uint64_int64', uintType, intType],
  ['double', doubleType, doubleType],
  ['double_int64', doubleType, intType],
  ['double_uint64', doubleType, uintType],
  ['string', stringType, stringType],
  ['bytes', bytesType, bytesType],
  ['timestamp', timestampType, timestampType],
  ['duration', durationType, durationType],
];

const operators: readonly (readonly [string, string, Overload['evaluate']])[] = [
  ['_<_', 'less', ordered((order) => order < 0)],
  ['_<=_', 'less_equals', ordered((order) => order <= 0)],
  ['_>_', 'greater', ordered((order) => order > 0)],
  ['_>=_', 'greater_equals', ordered((order) => order >= 0)],
];

export const comparisons: readonly Overload[] = operators.flatMap(([name, id, evaluate]) =>
  pairs.map(([types, left, right]) => {
    const overload = global(name, `${id}_${types}`, [left, right], boolType, evaluate);
    return types === 'string' || types === 'bytes' ? costing(overload, comparesTexts) : overload;
  }),
);
