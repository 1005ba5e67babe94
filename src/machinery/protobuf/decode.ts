import { encodeBase64 } from '../base64.ts';
import { conform, DecodeError, type JsonFields, maximumNesting, setOwn } from '../conform.ts';
import { parseJson } from '../json.ts';
import type { Json, JsonObject } from '../meta.ts';
import type { Field, MapSchema, ObjectSchema, ScalarSchema, Schema } from '../schema.ts';
import { formatTime } from '../time.ts';
import { magic } from './encode.ts';
import { type Layout, layoutOf } from './layout.ts';
import { varintType, WireError, WireReader } from './wire.ts';

/** What the envelope of an object says. */
export interface Envelope {
  readonly apiVersion: string;
  readonly kind: string;
  readonly contentType: string;
  readonly contentEncoding: string;
  /** The message inside, or a document in `contentType`. */
  readonly raw: Uint8Array;
}

/** Opens the envelope of an object (`runtime.Unknown`). Throws DecodeError. */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.length < magic.length || magic.some((byte, at) => bytes[at] !== byte)) {
    throw new DecodeError('provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]');
  }
  return guarded(() => {
    const found = {
      apiVersion: '',
      kind: '',
      contentType: '',
      contentEncoding: '',
      raw: new Uint8Array() as Uint8Array,
    };
    const reader = new WireReader(bytes, magic.length);
    while (!reader.done) {
      const { number, wireType } = reader.tag();
      if (number === 1) readTypeMeta(reader.message(), found);
      else if (number === 2) found.raw = reader.delimited();
      else if (number === 3) found.contentEncoding = reader.string();
      else if (number === 4) found.contentType = reader.string();
      else reader.skip(wireType);
    }
    return found;
  });
}

function readTypeMeta(reader: WireReader, into: { apiVersion: string; kind: string }): void {
  while (!reader.done) {
    const { number, wireType } = reader.tag();
    if (number === 1) into.apiVersion = reader.string();
    else if (number === 2) into.kind = reader.string();
    else reader.skip(wireType);
  }
}

/** An enveloped object of a known type, in the form that decoding JSON gives. Throws DecodeError. */
export function decodeProtobuf(bytes: Uint8Array, schema: ObjectSchema): JsonObject {
  const { apiVersion, kind, raw } = decodeEnvelope(bytes);
  const value = decodeMessage(raw, schema);
  return { ...(apiVersion === '' ? {} : { apiVersion }), ...(kind === '' ? {} : { kind }), ...value };
}

/** A message without envelope. Throws DecodeError. */
export function decodeMessage(bytes: Uint8Array, schema: ObjectSchema): JsonObject {
  return guarded(() => {
    const value: JsonFields = {};
    readFields(new WireReader(bytes), layoutOf(schema), value, 0);
    return conform(value, schema).value as JsonObject;
  });
}

function guarded<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof WireError ? new DecodeError(error.message) : error;
  }
}

function readFields(reader: WireReader, layout: Layout, into: JsonFields, depth: number): void {
  if (depth > maximumNesting) throw new DecodeError('exceeded max depth');
  while (!reader.done) {
    const { number, wireType } = reader.tag();
    const entry = layout.byNumber.get(number);
    if (entry === undefined) reader.skip(wireType);
    else if (entry.embedded !== undefined) readFields(reader.message(), entry.embedded, into, depth + 1);
    else readMember(reader, entry.field, wireType, into, depth);
  }
}

function readMember(reader: WireReader, field: Field, wireType: number, into: JsonFields, depth: number): void {
  const { name, schema } = field;
  if (schema.type === 'map') {
    const map = (into[name] ?? {}) as JsonFields;
    readMapEntry(reader.message(), schema, field.wrapped, map, depth);
    into[name] = map;
  } else if (schema.type === 'list' && field.wrapped) {
    into[name] = readStrings(reader.message());
  } else if (schema.type === 'list') {
    const list = (into[name] ?? []) as Json[];
    readItems(reader, schema.items, wireType, list, depth);
    into[name] = list;
  } else {
    const value = readValue(reader, schema, depth);
    // Go writes a field that is no pointer whatever it holds. Left out here, it need not be taken out again.
    const isNothing = field.presence === 'nonZero' && (value === '' || value === 0 || value === false);
    if (value !== undefined && !(isNothing && !Object.hasOwn(into, name))) into[name] = value;
  }
}

/** One item, or several packed into one field. */
function readItems(reader: WireReader, schema: Schema, wireType: number, list: Json[], depth: number): void {
  const isPacked = wireType !== varintType && (schema.type === 'int32' || schema.type === 'int64');
  if (!isPacked) {
    list.push(readValue(reader, schema, depth) ?? null);
    return;
  }
  const packed = reader.message();
  while (!packed.done) list.push(packed.integer());
}

function readMapEntry(reader: WireReader, schema: MapSchema, wrapped: boolean, into: JsonFields, depth: number): void {
  let key = '';
  let value: Json | undefined;
  while (!reader.done) {
    const { number, wireType } = reader.tag();
    if (number === 1) key = reader.string();
    else if (number === 2) value = wrapped ? readStrings(reader.message()) : readValue(reader, schema.values, depth);
    else reader.skip(wireType);
  }
  setOwn(into, key, value ?? null);
}

function readStrings(reader: WireReader): string[] {
  const strings: string[] = [];
  while (!reader.done) {
    const { number, wireType } = reader.tag();
    if (number === 1) strings.push(reader.string());
    else reader.skip(wireType);
  }
  return strings;
}

function readValue(reader: WireReader, schema: Schema, depth: number): Json | undefined {
  switch (schema.type) {
    case 'string':
      return reader.string();
    case 'boolean':
      return reader.unsigned() !== 0;
    case 'int32':
      return int32Of(reader.integer());
    case 'int64':
      return reader.integer();
    case 'double':
      return reader.double();
    case 'bytes':
      return encodeBase64(reader.delimited());
    case 'object': {
      const value: JsonFields = {};
      readFields(reader.message(), layoutOf(schema), value, depth + 1);
      return value;
    }
    default:
      return readSpecial(reader.message(), schema as ScalarSchema, depth);
  }
}

/** The lowest 32 bits, as Go reads a number that is too large for its field. */
function int32Of(value: number | bigint): number {
  return typeof value === 'number' ? value | 0 : Number(BigInt.asIntN(32, value));
}

function readSpecial(reader: WireReader, schema: ScalarSchema, depth: number): Json | undefined {
  switch (schema.type) {
    case 'time':
    case 'microTime':
      return readTime(reader, schema.type);
    case 'quantity':
      return readStrings(reader)[0] ?? '0';
    case 'intOrString':
      return readIntOrString(reader);
    default:
      return schema.inner === undefined ? readJson(reader) : readAlternative(reader, schema, schema.inner, depth);
  }
}

/** Undefined for the zero time, which is an empty message. */
function readTime(reader: WireReader, type: 'time' | 'microTime'): string | undefined {
  if (reader.done) return undefined;
  let [seconds, nanos] = [0, 0];
  while (!reader.done) {
    const { number, wireType } = reader.tag();
    if (number === 1) seconds = Number(reader.integer());
    else if (number === 2) nanos = Number(reader.integer());
    else reader.skip(wireType);
  }
  const text = formatTime(seconds * 1000);
  return type === 'time' ? text : `${text.slice(0, -1)}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z`;
}

function readIntOrString(reader: WireReader): number | string {
  let [isText, number_, text] = [false, 0, ''];
  while (!reader.done) {
    const { number, wireType } = reader.tag();
    if (number === 1) isText = reader.unsigned() === 1;
    else if (number === 2) number_ = Number(reader.integer());
    else if (number === 3) text = reader.string();
    else reader.skip(wireType);
  }
  return isText ? text : number_;
}

function readJson(reader: WireReader): Json | undefined {
  let value: Json | undefined;
  while (!reader.done) {
    const { number, wireType } = reader.tag();
    if (number === 1) value = parseJson(reader.delimited());
    else reader.skip(wireType);
  }
  return value;
}

function readAlternative(reader: WireReader, { message = '' }: ScalarSchema, inner: ObjectSchema, depth: number): Json {
  const isBoolean = message.endsWith('OrBool');
  let value: Json = isBoolean ? false : [];
  const items: Json[] = [];
  while (!reader.done) {
    const { number, wireType } = reader.tag();
    if (isBoolean && number === 1) {
      const allows = reader.unsigned() !== 0;
      if (typeof value === 'boolean') value = allows;
    } else if (number === (isBoolean ? 2 : 1)) {
      value = readValue(reader, inner, depth) ?? {};
    } else if (number === 2) {
      items.push(message.endsWith('OrStringArray') ? reader.string() : (readValue(reader, inner, depth) ?? {}));
    } else {
      reader.skip(wireType);
    }
  }
  return items.length > 0 ? items : value;
}
