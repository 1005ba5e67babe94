import { type ConformOptions, type ConformResult, conform, DecodeError, maximumNesting } from './conform.ts';
import { namesMembersOnce } from './json-members.ts';
import { type OddMember, oddMembers } from './json-scan.ts';
import type { Json } from './meta.ts';
import type { ObjectSchema, Schema } from './schema.ts';

export { conform, DecodeError } from './conform.ts';
export type { OddMember } from './json-scan.ts';

export interface Decoded {
  readonly value: Json;
  /** Fields that the type does not have, which are not in `value`, and keys that stand twice, of which the last counts. */
  readonly odd: readonly OddMember[];
}

export interface DecodeOptions extends Pick<ConformOptions, 'emptied'> {
  /** Look for duplicate keys: a second walk, over the text. */
  readonly findDuplicates?: boolean;
  /** Takes the place of `conform` for kinds whose schema decides in another way. */
  readonly conform?: (value: Json) => ConformResult;
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Digits enough to leave the numbers that JavaScript holds exactly. */
const longNumber = /[0-9]{16}/;

/**
 * Decodes JSON as the official server does; see `conform`. Throws DecodeError, whose message completes
 * `Pod in version "v1" cannot be handled as a Pod: …`. The caller bounds the size of `bytes`.
 */
export function decodeJson(bytes: Uint8Array, schema: ObjectSchema, options: DecodeOptions = {}): Decoded {
  const text = decoder.decode(bytes);
  const parsed = parseText(text);
  const { value, unknown } = options.conform?.(parsed) ?? conform(parsed, schema, options);
  // A walk over the text tells where what is odd stands; most texts have nothing odd.
  const mayBeOdd = options.findDuplicates === true && (unknown.length > 0 || !namesMembersOnce(text, parsed));
  if (!mayBeOdd) return { value, odd: unknownMembers(unknown) };
  // Custom objects are read without a schema, and then rid of what theirs does not have.
  if (options.conform !== undefined) return { value, odd: [...oddMembers(text, untyped), ...unknownMembers(unknown)] };
  return { value, odd: oddMembers(text, schema, unknown) };
}

const untyped: Schema = { type: 'any', message: '' };

export function unknownMembers(paths: readonly string[]): readonly OddMember[] {
  return paths.map((path) => ({ what: 'unknown', path }));
}

/** JSON text to a value, with exact integers. Throws DecodeError in Go's words. */
export function parseJson(bytes: Uint8Array): Json {
  return parseText(decoder.decode(bytes));
}

/** `parseJson` for what no schema bounds: a value that nests no deeper than others may. Throws DecodeError. */
export function parseShallowJson(bytes: Uint8Array): Json {
  const value = parseJson(bytes);
  // Each level takes a bracket at each end.
  if (bytes.length > 2 * maximumNesting && nestsDeeper(value)) throw new DecodeError('exceeded max depth');
  return value;
}

function nestsDeeper(value: Json): boolean {
  let level: readonly unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maximumNesting) return true;
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []));
  }
  return false;
}

/** Paths of keys that stand twice in one object. @throws DecodeError for what is no JSON. */
export function duplicateKeys(bytes: Uint8Array): readonly string[] {
  return oddMembers(decoder.decode(bytes), untyped).map(({ path }) => path);
}

function parseText(text: string): Json {
  try {
    return (longNumber.test(text) ? JSON.parse(text, exactNumber as never) : JSON.parse(text)) as Json;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    oddMembers(text, undefined);
    throw new DecodeError(error.message);
  }
}

/** A reviver that sees the source text of each number (ECMA-262 proposal "JSON.parse source text access"). */
function exactNumber(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context.source ?? '';
  return /^-?\d+$/.test(source) ? BigInt(source) : value;
}

const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;

/** JSON bytes of a value, which may hold bigints. */
export function encodeJson(value: unknown): Uint8Array {
  return encoder.encode(stringifyJson(value));
}

/** JSON bytes of a value as Go's encoder writes them to a stream: a line. */
export function encodeJsonLine(value: unknown): Uint8Array {
  return encoder.encode(`${stringifyJson(value)}\n`);
}

const endOfLine = 0x0a;

/** JSON as a line, if it is none yet. */
export function asLine(json: Uint8Array): Uint8Array {
  if (endsLine(json)) return json;
  const line = new Uint8Array(json.length + 1);
  line.set(json);
  line[json.length] = endOfLine;
  return line;
}

/** JSON without the end of its line, to stand within other JSON. */
export function withoutLine(json: Uint8Array): Uint8Array {
  return endsLine(json) ? json.subarray(0, -1) : json;
}

export function endsLine(json: Uint8Array): boolean {
  return json[json.length - 1] === endOfLine;
}

/** JSON text of a value, which may hold bigints. */
export function stringifyJson(value: unknown, indent?: number): string {
  try {
    return JSON.stringify(value, undefined, indent);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? rawJson(item.toString()) : item), indent);
  }
}
