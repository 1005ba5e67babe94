import { isInteger } from '../values/integer.ts';
import { runtimeType } from '../values/runtime-type.ts';
import {
  Double,
  fail,
  ListValue,
  MapValue,
  noSuchOverload,
  OptionalValue,
  StructValue,
  Uint,
  type Value,
} from '../values/value.ts';
import { costs, type Planned } from './planned.ts';

/** `operand.field`. */
export function planSelect(operand: Planned, field: string): Planned {
  const cost = costs.qualifier + (operand.isAttribute === true ? 0 : costs.attribute);
  const { step } = operand;
  return {
    step: (frame) => {
      const value = step(frame);
      frame.charge(cost);
      return select(value, field);
    },
    isAttribute: true,
  };
}

function select(value: Value, field: string): Value {
  if (value instanceof OptionalValue) return find(value, field);
  if (value instanceof ListValue) return badIndex(field);
  const found = value instanceof StructValue || value instanceof MapValue ? value.get(field) : undefined;
  // Null is a value as well.
  return found === undefined ? fail(`no such key: ${field}`) : found;
}

const badIndex = (key: Value): never => fail(`unsupported index type '${runtimeType(key).name}' in list`);

/** `has(operand.field)`. */
export function planTest(operand: Planned, field: string, hasCost: boolean): Planned {
  const cost = (hasCost ? costs.qualifier : 0) + (operand.isAttribute === true ? 0 : costs.attribute);
  const { step } = operand;
  return {
    step: (frame) => {
      const value = step(frame);
      frame.charge(cost);
      return test(value, field);
    },
    isAttribute: true,
  };
}

function test(value: Value, field: string): boolean {
  if (value instanceof OptionalValue) return value.value !== undefined && test(value.value, field);
  if (value instanceof MapValue) return value.get(field) !== undefined;
  if (!(value instanceof StructValue)) return false;
  return value.has(field) ?? fail(`no such field '${field}'`);
}

/** `operand[index]`; with `wantsOptional`, `operand[?index]` and `operand.?field`. */
export function planIndex(operand: Planned, index: Planned, wantsOptional: boolean): Planned {
  const cost = costs.qualifier + (operand.isAttribute === true ? 0 : costs.attribute);
  const { step } = operand;
  const read = wantsOptional ? find : at;
  return {
    step: (frame) => {
      const value = step(frame);
      const key = index.step(frame);
      frame.charge(cost);
      return read(value, key);
    },
    isAttribute: true,
  };
}

function at(value: Value, key: Value): Value {
  if (value instanceof OptionalValue) return find(value, key);
  const found = lookup(value, key);
  if (found !== undefined) return found;
  return value instanceof ListValue ? fail(`index out of bounds: ${show(key)}`) : fail(`no such key: ${show(key)}`);
}

/** As an optional, through optionals. */
function find(value: Value, key: Value): OptionalValue {
  if (value instanceof OptionalValue) {
    return value.value === undefined ? OptionalValue.none : find(value.value, key);
  }
  const isOpen = value instanceof ListValue || value instanceof MapValue || value instanceof StructValue;
  if (!isOpen) return noSuchOverload();
  // A field that is not set is absent, although reading it would give its default.
  if (value instanceof StructValue && typeof key === 'string' && value.has(key) === false) return OptionalValue.none;
  const found = lookup(value, key);
  return found === undefined ? OptionalValue.none : new OptionalValue(found);
}

function lookup(value: Value, key: Value): Value | undefined {
  if (value instanceof ListValue) {
    const index = indexOf(key);
    return index >= 0 && index < value.size ? value.at(index) : undefined;
  }
  if (value instanceof MapValue) {
    return isKey(key) ? value.get(key) : fail('unsupported key type');
  }
  if (value instanceof StructValue && typeof key === 'string') return value.get(key) ?? fail(`no such field '${key}'`);
  return undefined;
}

const isKey = (key: Value): boolean =>
  typeof key === 'string' || typeof key === 'boolean' || isInteger(key) || key instanceof Uint || key instanceof Double;

function indexOf(key: Value): number {
  if (typeof key === 'number') return key;
  if (key instanceof Uint || typeof key === 'bigint') return Number(typeof key === 'bigint' ? key : key.value);
  if (key instanceof Double && Number.isInteger(key.value)) return key.value;
  return badIndex(key);
}

function show(key: Value): string {
  return key instanceof Uint || key instanceof Double ? String(key.value) : String(key);
}
