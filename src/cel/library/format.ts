import { type CelType, isDynamic } from '../types/types.ts';
import { isInteger } from '../values/integer.ts';
import { runtimeType } from '../values/runtime-type.ts';
import { compareStrings } from '../values/strings.ts';
import { Duration, formatDuration, formatTimestamp, Timestamp } from '../values/time.ts';
import { Double, fail, ListValue, MapValue, TypeValue, Uint, type Value } from '../values/value.ts';

const defaultPrecision = 6;
const printable = 'strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps';
const hexadecimals = ['int', 'uint', 'string', 'bytes'];
const asHexadecimal = 'only integers, byte buffers, and strings can be formatted as hex';
const unrecognized = (letter: string): string =>
  `could not parse formatting clause: unrecognized formatting clause "${letter}"`;
const clause = /%(?:%|(?:\.(\d+))?([\s\S])?)/g;

/** How values are written. Kubernetes keeps to an older way than the specification's. */
export interface FormatStyle {
  readonly text: (value: Value) => string;
  readonly fixed: (value: number, precision: number) => string;
  readonly scientific: (value: number, precision: number) => string;
}

/** `text.format(args)`: clauses such as `%s`, `%d`, `%.3f`. The function fails for clauses that do not fit. */
export function formatter(style: FormatStyle): (text: string, args: ListValue) => string {
  const clauses: Readonly<Record<string, (value: Value, precision: number) => string>> = {
    s: style.text,
    d: decimal,
    f: (value, precision) => real(value, 'fixed-point', (number) => style.fixed(number, precision)),
    e: (value, precision) => real(value, 'scientific', (number) => style.scientific(number, precision)),
    b: binary,
    o: (value) => integerOf(value, 'octal clause can only be used on integers').toString(8),
    x: hexadecimal,
    X: (value) => hexadecimal(value).toUpperCase(),
  };
  return (text, args) => {
    let next = 0;
    return text.replace(clause, (whole: string, precision: string | undefined, letter: string | undefined) => {
      if (whole === '%%') return '%';
      if (letter === undefined) return fail('unexpected end of string');
      const format = clauses[letter];
      if (format === undefined) return fail(unrecognized(letter));
      if (next >= args.size) return fail(`index ${next} out of range`);
      return format(args.at(next++), precision === undefined ? defaultPrecision : Number(precision));
    });
  };
}

/** What each clause takes, by kinds of type, and what it says otherwise. */
const takes: Readonly<Record<string, { readonly kinds: readonly string[]; readonly otherwise: string }>> = {
  s: {
    kinds: ['string', 'bool', 'bytes', 'int', 'uint', 'double', 'map', 'list', 'type', 'duration', 'timestamp', 'null'],
    otherwise: `string clause can only be used on ${printable}`,
  },
  d: { kinds: ['int', 'uint'], otherwise: 'decimal clause can only be used on integers' },
  f: { kinds: ['double'], otherwise: 'fixed-point clause can only be used on doubles' },
  e: { kinds: ['double'], otherwise: 'scientific clause can only be used on doubles' },
  b: { kinds: ['int', 'uint', 'bool'], otherwise: 'only integers and bools can be formatted as binary' },
  o: { kinds: ['int', 'uint'], otherwise: 'octal clause can only be used on integers' },
  x: { kinds: hexadecimals, otherwise: asHexadecimal },
  X: { kinds: hexadecimals, otherwise: asHexadecimal },
};

/** What formatting items of these types will always complain about; `index` is the item that does not fit. */
export function formatProblem(
  text: string,
  types: readonly CelType[],
): { readonly index?: number; readonly message: string } | undefined {
  let index = 0;
  for (const [whole, , letter] of text.matchAll(clause)) {
    if (whole === '%%') continue;
    if (letter === undefined) return { message: 'unexpected end of string' };
    const taken = takes[letter];
    if (taken === undefined) return { message: unrecognized(letter) };
    const type = types[index];
    if (type === undefined) return { message: `index ${index} out of range` };
    if (!isDynamic(type) && !taken.kinds.includes(type.kind)) {
      return { index, message: `error during formatting: ${taken.otherwise}, was given ${type.name}` };
    }
    index++;
  }
  return undefined;
}

/** @throws Failure always. */
export const refuseFormat = (why: string, value: Value): never =>
  fail(`error during formatting: ${why}, was given ${runtimeType(value).name}`);

function integerOf(value: Value, why: string): bigint {
  if (isInteger(value)) return BigInt(value);
  return value instanceof Uint ? value.value : refuseFormat(why, value);
}

function textOf(value: Value): string {
  if (typeof value === 'string') return value;
  if (value === null || typeof value === 'boolean' || isInteger(value)) return String(value);
  if (value instanceof Double) return special(value.value) ?? String(value.value);
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  if (value instanceof Timestamp) return formatTimestamp(value);
  if (value instanceof Duration) return formatDuration(value);
  if (value instanceof TypeValue) return value.type.name;
  if (value instanceof ListValue) return `[${[...value].map(textOf).join(', ')}]`;
  if (value instanceof MapValue) {
    const entries = [...value.keys()].map((key) => [textOf(key), textOf(value.get(key)!)] as const);
    entries.sort(([a], [b]) => compareStrings(a, b));
    return `{${entries.map(([key, own]) => `${key}: ${own}`).join(', ')}}`;
  }
  return refuseFormat(`string clause can only be used on ${printable}`, value);
}

function special(value: number): string | undefined {
  return Number.isFinite(value) ? undefined : String(value);
}

function decimal(value: Value): string {
  if (value instanceof Double && !Number.isFinite(value.value)) return String(value.value);
  return integerOf(value, 'decimal clause can only be used on integers').toString();
}

function real(value: Value, name: string, format: (number: number) => string): string {
  if (value instanceof Double) return special(value.value) ?? format(value.value);
  return refuseFormat(`${name} clause can only be used on doubles`, value);
}

/** Halves round to even, as everywhere in Go; JavaScript rounds them up. */
export function fixedDecimals(value: number, precision: number): string {
  const text = value.toFixed(precision);
  const exact = value.toFixed(Math.min(100, precision + 40));
  const tail = exact.slice(exact.indexOf('.') + 1 + precision);
  const isOdd = /[13579]$/.test(text);
  if (!/^50*$/.test(tail) || !isOdd) return text;
  const digits = BigInt(text.replace('.', '')) - (value < 0 ? -1n : 1n);
  const padded = (digits < 0n ? -digits : digits).toString().padStart(precision + 1, '0');
  const whole = padded.slice(0, padded.length - precision);
  const sign = value < 0 ? '-' : '';
  return precision === 0 ? sign + whole : `${sign}${whole}.${padded.slice(padded.length - precision)}`;
}

/** Go writes at least two digits of the exponent. */
function scientific(value: number, precision: number): string {
  return value.toExponential(precision).replace(/e([+-])(\d)$/, 'e$10$2');
}

function binary(value: Value): string {
  if (typeof value === 'boolean') return value ? '1' : '0';
  return integerOf(value, 'only integers and bools can be formatted as binary').toString(2);
}

function hexadecimal(value: Value): string {
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  if (bytes instanceof Uint8Array) {
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  }
  return integerOf(bytes, asHexadecimal).toString(16);
}

/** As the specification writes values. */
export const formatText = formatter({ text: textOf, fixed: fixedDecimals, scientific });
