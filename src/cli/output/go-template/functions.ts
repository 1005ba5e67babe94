import { stringifyJson } from '#machinery/json.ts';
import type { Json, JsonObject } from '#machinery/meta.ts';
import { TemplateError } from './parse.ts';

/** What is missing: it prints as `<no value>` and is false. */
export type Value = Json | undefined;

export const isObject = (value: Value): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Go's idea of truth: not zero, not empty. */
export function isTrue(value: Value): boolean {
  if (value === undefined || value === null || value === false || value === '') return false;
  if (typeof value === 'number' || typeof value === 'bigint') return Number(value) !== 0;
  if (typeof value === 'object') return (Array.isArray(value) ? value : Object.keys(value)).length > 0;
  return true;
}

/** As fmt prints a value with `%v`. */
export function textOf(value: Value): string {
  if (value === undefined) return '<no value>';
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map((item) => textOf(item as Json)).join(' ')}]`;
  if (isObject(value)) {
    const keys = Object.keys(value).sort();
    return `map[${keys.map((key) => `${key}:${textOf(value[key])}`).join(' ')}]`;
  }
  return String(value);
}

function index(container: Value, keys: readonly Value[]): Value {
  return keys.reduce<Value>((at, key) => {
    if (at === undefined || at === null) throw new TemplateError('index of untyped nil');
    if (Array.isArray(at)) {
      const item = (at as readonly Json[])[Number(key)];
      if (item === undefined) throw new TemplateError(`index out of range: ${textOf(key)}`);
      return item;
    }
    if (!isObject(at)) throw new TemplateError(`can't index item of type ${typeof at}`);
    return Object.hasOwn(at, String(key)) ? at[String(key)] : undefined;
  }, container);
}

const verbs: Readonly<Record<string, (value: Value) => string>> = {
  v: textOf,
  s: textOf,
  d: textOf,
  t: textOf,
  q: (value) => JSON.stringify(textOf(value)),
  x: (value) => (typeof value === 'number' ? value.toString(16) : Buffer.from(textOf(value)).toString('hex')),
  f: (value) => Number(value).toFixed(6),
};

/** As fmt.Sprintf, with width, `-`, `0` and precision. */
function printf(format: string, values: readonly Value[]): string {
  let next = 0;
  const text = format.replace(
    /%([-+0 #]*)(\d*)(?:\.(\d+))?([a-zA-Z%])/g,
    (_, marks: string, width: string, precision: string | undefined, verb: string) => {
      if (verb === '%') return '%';
      if (next >= values.length) return `%!${verb}(MISSING)`;
      const value = values[next++];
      const print = verbs[verb];
      if (print === undefined) return `%!${verb}(${textOf(value)})`;
      const plain = print(value);
      const cut =
        precision === undefined
          ? plain
          : verb === 'f'
            ? Number(value).toFixed(Number(precision))
            : plain.slice(0, Number(precision));
      if (marks.includes('-')) return cut.padEnd(Number(width));
      return cut.padStart(Number(width), marks.includes('0') ? '0' : ' ');
    },
  );
  return next < values.length ? `${text}%!(EXTRA ${values.slice(next).map(textOf).join(', ')})` : text;
}

/** As fmt.Sprint: a space between two values of which neither is text. */
function print(values: readonly Value[]): string {
  return values
    .map((value, at) => {
      const before = values[at - 1];
      return at > 0 && typeof value !== 'string' && typeof before !== 'string' ? ` ${textOf(value)}` : textOf(value);
    })
    .join('');
}

const order = (left: Value, right: Value): number => {
  if (typeof left !== typeof right || typeof left === 'object')
    throw new TemplateError('incompatible types for comparison');
  return left! < right! ? -1 : left! > right! ? 1 : 0;
};

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) =>
    `&#${character.charCodeAt(0)};`.replace('&#38;', '&amp;').replace('&#60;', '&lt;').replace('&#62;', '&gt;'),
  );

/** Go's own functions and those that kubectl adds. `and` and `or` are the evaluator's, for they skip arguments. */
export const functions: Readonly<Record<string, (values: readonly Value[]) => Value>> = {
  index: ([container, ...keys]) => index(container, keys),
  len: ([value]) => {
    if (typeof value === 'string') return Buffer.byteLength(value);
    if (typeof value === 'object' && value !== null) return (Array.isArray(value) ? value : Object.keys(value)).length;
    throw new TemplateError(`len of type ${value === undefined ? 'nil' : typeof value}`);
  },
  not: ([value]) => !isTrue(value),
  eq: ([left, ...others]) => others.some((other) => left === other),
  ne: ([left, right]) => left !== right,
  lt: ([left, right]) => order(left, right) < 0,
  le: ([left, right]) => order(left, right) <= 0,
  gt: ([left, right]) => order(left, right) > 0,
  ge: ([left, right]) => order(left, right) >= 0,
  print,
  println: (values) => `${values.map(textOf).join(' ')}\n`,
  printf: ([format, ...values]) => printf(textOf(format), values),
  slice: ([value, from, to]) => {
    if (typeof value !== 'string' && !Array.isArray(value)) throw new TemplateError("can't slice item");
    return value.slice(Number(from ?? 0), to === undefined ? undefined : Number(to)) as Json;
  },
  html: (values) => escapeHtml(print(values)),
  urlquery: (values) => encodeURIComponent(print(values)),
  js: (values) => stringifyJson(print(values)).slice(1, -1),
  base64decode: ([value]) => Buffer.from(textOf(value), 'base64').toString('utf8'),
  exists: ([value, ...keys]) => {
    try {
      return index(value, keys) !== undefined;
    } catch (error) {
      if (error instanceof TemplateError) return false;
      throw error;
    }
  },
};
