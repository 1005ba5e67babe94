import { JoinedList } from '../../values/collections.ts';
import {
  addIntegers,
  checkUnsigned,
  divideIntegers,
  isInteger,
  multiplyIntegers,
  negateInteger,
  remainderOfIntegers,
  subtractIntegers,
} from '../../values/integer.ts';
import { MutableList } from '../../values/mutable.ts';
import { runtimeType } from '../../values/runtime-type.ts';
import { Duration, durationOf, Timestamp, timestampOf } from '../../values/time.ts';
import { Double, fail, ListValue, noSuchOverload, Uint, type Value } from '../../values/value.ts';

/** Left operands of other types know no such operator, and say its name. */
function noOperator(name: string, left: Value, known: readonly string[]): never {
  return known.includes(runtimeType(left).kind) ? noSuchOverload() : fail(`no such overload: ${name}`);
}

const numbers = ['int', 'uint', 'double'];
const amounts = [...numbers, 'duration', 'timestamp'];

export function add(a: Value, b: Value): Value {
  if (isInteger(a) && isInteger(b)) return addIntegers(a, b);
  if (typeof a === 'string' && typeof b === 'string') return a + b;
  if (a instanceof ListValue && b instanceof ListValue) {
    return a instanceof MutableList && !a.frozen ? a.append(b) : (a.plus(b) ?? new JoinedList(a, b));
  }
  if (a instanceof Double && b instanceof Double) return new Double(a.value + b.value);
  if (a instanceof Uint && b instanceof Uint) return new Uint(checkUnsigned(a.value + b.value));
  if (a instanceof Uint8Array && b instanceof Uint8Array) return joinBytes(a, b);
  if (a instanceof Duration && b instanceof Duration) return durationOf(a.nanos + b.nanos);
  if (a instanceof Timestamp && b instanceof Duration) return timestampOf(a.nanos + b.nanos, a.offsetSeconds);
  if (a instanceof Duration && b instanceof Timestamp) return timestampOf(a.nanos + b.nanos, b.offsetSeconds);
  return noOperator('_+_', a, [...amounts, 'string', 'bytes', 'list']);
}

function joinBytes(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

export function subtract(a: Value, b: Value): Value {
  if (isInteger(a) && isInteger(b)) return subtractIntegers(a, b);
  if (a instanceof Double && b instanceof Double) return new Double(a.value - b.value);
  if (a instanceof Uint && b instanceof Uint) return new Uint(checkUnsigned(a.value - b.value));
  if (a instanceof Duration && b instanceof Duration) return durationOf(a.nanos - b.nanos);
  if (a instanceof Timestamp && b instanceof Duration) return timestampOf(a.nanos - b.nanos, a.offsetSeconds);
  if (a instanceof Timestamp && b instanceof Timestamp) return durationOf(a.nanos - b.nanos);
  return noOperator('_-_', a, amounts);
}

export function multiply(a: Value, b: Value): Value {
  if (isInteger(a) && isInteger(b)) return multiplyIntegers(a, b);
  if (a instanceof Double && b instanceof Double) return new Double(a.value * b.value);
  if (a instanceof Uint && b instanceof Uint) return new Uint(checkUnsigned(a.value * b.value));
  return noOperator('_*_', a, numbers);
}

export function divide(a: Value, b: Value): Value {
  if (isInteger(a) && isInteger(b)) return divideIntegers(a, b);
  if (a instanceof Double && b instanceof Double) return new Double(a.value / b.value);
  if (a instanceof Uint && b instanceof Uint) {
    return b.value === 0n ? fail('division by zero') : new Uint(a.value / b.value);
  }
  return noOperator('_/_', a, numbers);
}

export function remainder(a: Value, b: Value): Value {
  if (isInteger(a) && isInteger(b)) return remainderOfIntegers(a, b);
  if (a instanceof Uint && b instanceof Uint) {
    return b.value === 0n ? fail('modulus by zero') : new Uint(a.value % b.value);
  }
  return noOperator('_%_', a, ['int', 'uint']);
}

export function negate(value: Value): Value {
  if (isInteger(value)) return negateInteger(value);
  return value instanceof Double ? new Double(-value.value) : noSuchOverload();
}
