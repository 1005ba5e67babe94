import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
  quantityOf,
  subtractQuantities,
} from '#machinery/quantity.ts';
import { global, member } from '../../library/define.ts';
import type { Library } from '../../library/library.ts';
import { typeConstants } from '../../library/standard/index.ts';
import { boolType, type CelType, doubleType, intType, opaqueType, stringType } from '../../types/types.ts';
import { type Integer, toInteger } from '../../values/integer.ts';
import { Double, fail, OpaqueValue, type Value } from '../../values/value.ts';

/** https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-quantity-library */

export const quantityType: CelType = opaqueType('kubernetes.Quantity');

class QuantityValue extends OpaqueValue {
  readonly type = quantityType;
  readonly quantity: Quantity;

  constructor(quantity: Quantity) {
    super();
    this.quantity = quantity;
  }

  equals(other: Value): boolean {
    return other instanceof QuantityValue && compareQuantities(this.quantity, other.quantity) === 0;
  }

  toJson(): string {
    return formatQuantity(this.quantity);
  }
}

function parse(text: string): Quantity | undefined {
  try {
    return parseQuantity(text);
  } catch {
    return undefined;
  }
}

const invalid = `quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`;

function wholeOf({ quantity }: QuantityValue): Integer | undefined {
  const nanosPerUnit = 1_000_000_000n;
  const whole = quantity.nanos / nanosPerUnit;
  const isWhole = whole * nanosPerUnit === quantity.nanos && BigInt.asIntN(64, whole) === whole;
  return isWhole ? toInteger(whole) : undefined;
}

const compare = (a: QuantityValue, b: QuantityValue): number => compareQuantities(a.quantity, b.quantity);
const sign = ({ quantity: { nanos } }: QuantityValue): number => (nanos > 0n ? 1 : nanos < 0n ? -1 : 0);
const asQuantity = (value: QuantityValue | Integer): Quantity =>
  value instanceof QuantityValue ? value.quantity : quantityOf(value);
const add = (a: QuantityValue, b: QuantityValue | Integer): Value =>
  new QuantityValue(addQuantities(a.quantity, asQuantity(b)));
const subtract = (a: QuantityValue, b: QuantityValue | Integer): Value =>
  new QuantityValue(subtractQuantities(a.quantity, asQuantity(b)));

const q = quantityType;

export const quantityLibrary: Library = {
  name: 'kubernetes.quantity',
  types: typeConstants(new Map([[q.name, q]])),
  overloads: [
    global(
      'quantity',
      'string_to_quantity',
      [stringType],
      q,
      (text: string) => new QuantityValue(parse(text) ?? fail(invalid)),
    ),
    global('isQuantity', 'is_quantity_string', [stringType], boolType, (text: string) => parse(text) !== undefined),
    global('sign', 'quantity_sign', [q], intType, sign),
    member(
      'isGreaterThan',
      'quantity_is_greater_than',
      [q, q],
      boolType,
      (a: QuantityValue, b: QuantityValue) => compare(a, b) > 0,
    ),
    member(
      'isLessThan',
      'quantity_is_less_than',
      [q, q],
      boolType,
      (a: QuantityValue, b: QuantityValue) => compare(a, b) < 0,
    ),
    member('compareTo', 'quantity_compare_to', [q, q], intType, compare),
    member(
      'asApproximateFloat',
      'quantity_get_float',
      [q],
      doubleType,
      ({ quantity }: QuantityValue) => new Double(Number(quantity.nanos) / 1e9),
    ),
    member(
      'asInteger',
      'quantity_get_int',
      [q],
      intType,
      (value: QuantityValue) => wholeOf(value) ?? fail('cannot convert value to integer'),
    ),
    member('isInteger', 'quantity_is_integer', [q], boolType, (value: QuantityValue) => wholeOf(value) !== undefined),
    member('add', 'quantity_add', [q, q], q, add),
    member('add', 'quantity_add_int', [q, intType], q, add),
    member('sub', 'quantity_sub', [q, q], q, subtract),
    member('sub', 'quantity_sub_int', [q, intType], q, subtract),
  ],
};
