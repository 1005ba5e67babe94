import { decodesText, encodesText } from '../../cost/calls.ts';
import { isUnsigned64, toInt64 } from '../../syntax/numbers.ts';
import {
  boolType,
  bytesType,
  doubleType,
  durationType,
  intType,
  stringType,
  timestampType,
  typeParameter,
  typeType,
  uintType,
} from '../../types/types.ts';
import { type Integer, toInteger } from '../../values/integer.ts';
import { runtimeType } from '../../values/runtime-type.ts';
import {
  type Duration,
  floorDivide,
  formatDuration,
  formatTimestamp,
  parseDuration,
  parseTimestamp,
  type Timestamp,
  timestampOf,
} from '../../values/time.ts';
import { Double, fail, TypeValue, Uint, type Value } from '../../values/value.ts';
import { costing, global } from '../define.ts';
import type { Overload } from '../library.ts';
import { formatDouble, parseDouble } from './double-text.ts';

const same = (value: Value): Value => value;

const limit = 2 ** 63;

function intOfDouble({ value }: Double): Integer {
  if (!(value > -limit && value < limit)) fail('integer overflow');
  const whole = Math.trunc(value) + 0;
  return Number.isSafeInteger(whole) ? whole : toInteger(BigInt(whole));
}

function uintOfDouble({ value }: Double): Uint {
  if (!(value >= 0 && value < 2 * limit)) fail('unsigned integer overflow');
  return new Uint(BigInt(Math.trunc(value)));
}

function intOfText(text: string): Integer {
  const value = /^[+-]?\d+$/.test(text) ? toInt64(BigInt(text.replace(/^\+/, ''))) : undefined;
  return value ?? fail(`type conversion error from 'string' to 'int'`);
}

function uintOfText(text: string): Uint {
  const value = /^\d+$/.test(text) ? BigInt(text) : -1n;
  return isUnsigned64(value) ? new Uint(value) : fail(`type conversion error from 'string' to 'uint'`);
}

function uintOf(value: Integer): Uint {
  const amount = BigInt(value);
  return BigInt.asUintN(64, amount) === amount ? new Uint(amount) : fail('unsigned integer overflow');
}

function boolOfText(text: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
  return fail(`type conversion error from 'string' to 'bool'`);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOfBytes(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    return fail('invalid UTF-8 in bytes, cannot convert to string');
  }
}

const timestampOfText = (text: string): Timestamp =>
  parseTimestamp(text) ?? fail(`type conversion error from 'string' to 'google.protobuf.Timestamp'`);
const durationOfText = (text: string): Duration =>
  parseDuration(text) ?? fail(`type conversion error from 'string' to 'google.protobuf.Duration'`);

const numbers: readonly Overload[] = [
  global('int', 'int64_to_int64', [intType], intType, same),
  global('int', 'double_to_int64', [doubleType], intType, intOfDouble),
  global('int', 'duration_to_int64', [durationType], intType, ({ nanos }: Duration) => toInteger(nanos)),
  global('int', 'string_to_int64', [stringType], intType, intOfText),
  global('int', 'timestamp_to_int64', [timestampType], intType, ({ nanos }: Timestamp) =>
    toInteger(floorDivide(nanos, 1_000_000_000n)),
  ),
  global('int', 'uint64_to_int64', [uintType], intType, ({ value }: Uint) => toInteger(value)),
  global('uint', 'uint64_to_uint64', [uintType], uintType, same),
  global('uint', 'double_to_uint64', [doubleType], uintType, uintOfDouble),
  global('uint', 'int64_to_uint64', [intType], uintType, uintOf),
  global('uint', 'string_to_uint64', [stringType], uintType, uintOfText),
  global('double', 'double_to_double', [doubleType], doubleType, same),
  global('double', 'int64_to_double', [intType], doubleType, (value: Integer) => new Double(Number(value))),
  global('double', 'string_to_double', [stringType], doubleType, (text: string) => {
    const value = parseDouble(text);
    return value === undefined ? fail(`type conversion error from 'string' to 'double'`) : new Double(value);
  }),
  global('double', 'uint64_to_double', [uintType], doubleType, ({ value }: Uint) => new Double(Number(value))),
];

const texts: readonly Overload[] = [
  global('string', 'string_to_string', [stringType], stringType, same),
  global('string', 'bool_to_string', [boolType], stringType, String),
  costing(global('string', 'bytes_to_string', [bytesType], stringType, textOfBytes), decodesText),
  global('string', 'double_to_string', [doubleType], stringType, ({ value }: Double) => formatDouble(value)),
  global('string', 'duration_to_string', [durationType], stringType, formatDuration),
  global('string', 'int64_to_string', [intType], stringType, String),
  global('string', 'timestamp_to_string', [timestampType], stringType, formatTimestamp),
  global('string', 'uint64_to_string', [uintType], stringType, ({ value }: Uint) => String(value)),
  global('bytes', 'bytes_to_bytes', [bytesType], bytesType, same),
  costing(
    global('bytes', 'string_to_bytes', [stringType], bytesType, (text: string) => encoder.encode(text)),
    encodesText,
  ),
];

const a = typeParameter('A');

const others: readonly Overload[] = [
  global('bool', 'bool_to_bool', [boolType], boolType, same),
  global('bool', 'string_to_bool', [stringType], boolType, boolOfText),
  global('timestamp', 'timestamp_to_timestamp', [timestampType], timestampType, same),
  global('timestamp', 'int64_to_timestamp', [intType], timestampType, (seconds: Integer) =>
    timestampOf(BigInt(seconds) * 1_000_000_000n),
  ),
  global('timestamp', 'string_to_timestamp', [stringType], timestampType, timestampOfText),
  global('duration', 'duration_to_duration', [durationType], durationType, same),
  global('duration', 'string_to_duration', [stringType], durationType, durationOfText),
  global('type', 'type', [a], typeType(a), (value: Value) => new TypeValue(runtimeType(value))),
];

export const conversions: readonly Overload[] = [...numbers, ...texts, ...others];
