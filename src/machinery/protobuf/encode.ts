import { decodeBase64 } from '../base64.ts';
import { encodeJson } from '../json.ts';
import type { Json, JsonObject } from '../meta.ts';
import { isObject } from '../patch/merge-patch.ts';
import type { Field, MapSchema, ObjectSchema, ScalarSchema, Schema } from '../schema.ts';
import { parseTime } from '../time.ts';
import { type Entry, type Layout, layoutOf } from './layout.ts';
import { BackwardWriter, bytesType, fixed64Type, varintType } from './wire.ts';

/** `k8s` and a zero byte: what every protobuf object of the API begins with. */
export const magic: Uint8Array = Uint8Array.of(0x6b, 0x38, 0x73, 0);

/** An object with the envelope around it (`runtime.Unknown`), which names its kind. */
export function encodeProtobuf(value: JsonObject, schema: ObjectSchema): Uint8Array {
  const { apiVersion = '', kind = '' } = value as { readonly apiVersion?: string; readonly kind?: string };
  const writer = new BackwardWriter();
  beginEnvelope(writer);
  const end = writer.size;
  writeFields(writer, value, layoutOf(schema));
  writer.varint(writer.size - end);
  return endEnvelope(writer, { apiVersion, kind });
}

/** What the envelope adds, names of groups and kinds included, unless they are long. */
const maxEnvelope = 256;

/** A message with the envelope around it. */
export function encodeEnvelope(
  message: Uint8Array,
  { apiVersion, kind }: { readonly apiVersion: string; readonly kind: string },
): Uint8Array {
  const writer = new BackwardWriter(message.length + maxEnvelope);
  beginEnvelope(writer);
  writer.delimited(message);
  return endEnvelope(writer, { apiVersion, kind });
}

/** Bytes that follow the message in an envelope: the empty content encoding and type. */
export const envelopeEnd = 4;

function beginEnvelope(writer: BackwardWriter): void {
  writer.string('');
  writer.tag(4, bytesType);
  writer.string('');
  writer.tag(3, bytesType);
}

function endEnvelope(
  writer: BackwardWriter,
  { apiVersion, kind }: { readonly apiVersion: string; readonly kind: string },
): Uint8Array {
  writer.tag(2, bytesType);
  const end = writer.size;
  writer.string(kind);
  writer.tag(2, bytesType);
  writer.string(apiVersion);
  writer.tag(1, bytesType);
  writer.varint(writer.size - end);
  writer.tag(1, bytesType);
  writer.raw(magic);
  return writer.finish();
}

/** A message without the envelope. */
export function encodeMessage(value: JsonObject, schema: ObjectSchema): Uint8Array {
  const writer = new BackwardWriter();
  writeFields(writer, value, layoutOf(schema));
  return writer.finish();
}

/** Tag and length before an item, and what stands around the items with a continue token. */
const maxItemHead = 6;
const maxListHead = 1024 + maxEnvelope;

/** A list with its envelope, whose items are messages already. */
export function encodeList(list: {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: JsonObject;
  readonly metadataSchema: ObjectSchema;
  readonly items: readonly Uint8Array[];
}): Uint8Array {
  const bytes = list.items.reduce((sum, item) => sum + item.length + maxItemHead, maxListHead);
  const writer = new BackwardWriter(bytes);
  beginEnvelope(writer);
  const end = writer.size;
  for (let at = list.items.length - 1; at >= 0; at--) {
    writer.delimited(list.items[at]!);
    writer.tag(2, bytesType);
  }
  writer.delimited(encodeMessage(list.metadata, list.metadataSchema));
  writer.tag(1, bytesType);
  writer.varint(writer.size - end);
  return endEnvelope(writer, list);
}

/** One event of a watch: four bytes of length, then a `meta.v1.WatchEvent` with the enveloped object. */
export function encodeWatchFrame(type: string, object: Uint8Array): Uint8Array {
  const writer = new BackwardWriter();
  const end = writer.size;
  writer.delimited(object);
  writer.tag(1, bytesType);
  writer.varint(writer.size - end);
  writer.tag(2, bytesType);
  writer.string(type);
  writer.tag(1, bytesType);
  const { size } = writer;
  writer.raw(Uint8Array.of(size >>> 24, (size >>> 16) & 255, (size >>> 8) & 255, size & 255));
  return writer.finish();
}

function writeFields(writer: BackwardWriter, value: JsonObject, layout: Layout): void {
  for (let at = layout.entries.length - 1; at >= 0; at--) writeEntry(writer, value, layout.entries[at]!);
}

function writeEntry(writer: BackwardWriter, value: JsonObject, entry: Entry): void {
  if (entry.embedded !== undefined) {
    const end = writer.size;
    writeFields(writer, value, entry.embedded);
    closeMessage(writer, entry.number, end);
    return;
  }
  const { field } = entry;
  const member = value[field.name];
  if (member !== undefined && member !== null) writeMember(writer, member, field);
  else if (field.presence === 'always' || field.presence === 'nonZero') writeZero(writer, field.number, field.schema);
}

function closeMessage(writer: BackwardWriter, number: number, end: number): void {
  writer.varint(writer.size - end);
  writer.tag(number, bytesType);
}

function writeMember(writer: BackwardWriter, value: Json, { number, schema, wrapped }: Field): void {
  if (schema.type === 'map') {
    writeMap(writer, value as JsonObject, number, schema, wrapped);
  } else if (schema.type === 'list') {
    const end = writer.size;
    const items = value as readonly Json[];
    for (let at = items.length - 1; at >= 0; at--) writeValue(writer, items[at]!, wrapped ? 1 : number, schema.items);
    if (wrapped) closeMessage(writer, number, end);
  } else {
    writeValue(writer, value, number, schema);
  }
}

function writeMap(
  writer: BackwardWriter,
  value: JsonObject,
  number: number,
  schema: MapSchema,
  wrapped: boolean,
): void {
  const keys = Object.keys(value).sort(byUtf8);
  for (let at = keys.length - 1; at >= 0; at--) {
    const key = keys[at]!;
    const end = writer.size;
    if (schema.values.type === 'list') {
      const items = value[key] as readonly Json[];
      for (let item = items.length - 1; item >= 0; item--) writeValue(writer, items[item]!, 1, schema.values.items);
      if (wrapped) closeMessage(writer, 2, end);
    } else {
      const member = value[key] ?? null;
      if (member === null) writeZero(writer, 2, schema.values);
      else writeValue(writer, member, 2, schema.values);
    }
    writer.string(key);
    writer.tag(1, bytesType);
    closeMessage(writer, number, end);
  }
}

/** Go sorts keys by their bytes; JavaScript by UTF-16 units, which differs beyond the basic plane. */
function byUtf8(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at++) {
    const [first, second] = [left.charCodeAt(at), right.charCodeAt(at)];
    if (first !== second) return inUtf8(first) - inUtf8(second);
  }
  return left.length - right.length;
}

/** Halves of characters beyond the basic plane come after all of it, as they do in UTF-8. */
function inUtf8(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
}

/** Go writes fields that are no pointers always, whatever their value. */
function writeZero(writer: BackwardWriter, number: number, schema: Schema): void {
  switch (schema.type) {
    case 'object':
      writeValue(writer, {}, number, schema);
      return;
    case 'string':
      writeValue(writer, '', number, schema);
      return;
    case 'boolean':
      writeValue(writer, false, number, schema);
      return;
    case 'int32':
    case 'int64':
    case 'double':
    case 'intOrString':
      writeValue(writer, 0, number, schema);
      return;
    case 'quantity':
      writeValue(writer, '0', number, schema);
      return;
    case 'time':
    case 'microTime':
    case 'any':
      closeMessage(writer, number, writer.size);
  }
}

function writeValue(writer: BackwardWriter, value: Json, number: number, schema: Schema): void {
  switch (schema.type) {
    case 'string':
      writer.string(value as string);
      writer.tag(number, bytesType);
      return;
    case 'boolean':
      writer.varint(value === true ? 1 : 0);
      writer.tag(number, varintType);
      return;
    case 'int32':
    case 'int64':
      writer.varint(value as number | bigint);
      writer.tag(number, varintType);
      return;
    case 'double':
      writer.double(value as number);
      writer.tag(number, fixed64Type);
      return;
    case 'bytes':
      writer.delimited(decodeBase64(value as string));
      writer.tag(number, bytesType);
      return;
    default: {
      const end = writer.size;
      if (schema.type === 'object') writeFields(writer, value as JsonObject, layoutOf(schema));
      else writeSpecial(writer, value, schema as ScalarSchema);
      closeMessage(writer, number, end);
    }
  }
}

/** Types that are one value in JSON and a message on the wire. */
function writeSpecial(writer: BackwardWriter, value: Json, schema: ScalarSchema): void {
  switch (schema.type) {
    case 'time':
    case 'microTime':
      writeTime(writer, value as string);
      return;
    case 'quantity':
      writer.string(value as string);
      writer.tag(1, bytesType);
      return;
    case 'intOrString':
      writer.string(typeof value === 'string' ? value : '');
      writer.tag(3, bytesType);
      writer.varint(typeof value === 'string' ? 0 : (value as number));
      writer.tag(2, varintType);
      writer.varint(typeof value === 'string' ? 1 : 0);
      writer.tag(1, varintType);
      return;
    default:
      if (schema.inner === undefined) writeJson(writer, value);
      else writeAlternative(writer, value, schema.message ?? '', schema.inner);
  }
}

function writeTime(writer: BackwardWriter, text: string): void {
  const seconds = Math.floor(parseTime(text) / 1000);
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? '';
  writer.varint(Number(fraction.padEnd(9, '0').slice(0, 9)));
  writer.tag(2, varintType);
  writer.varint(seconds);
  writer.tag(1, varintType);
}

function writeJson(writer: BackwardWriter, value: Json): void {
  writer.delimited(encodeJson(value));
  writer.tag(1, bytesType);
}

/** A schema, or in its place a boolean, a list of strings or a list of schemas (JSONSchemaPropsOr…). */
function writeAlternative(writer: BackwardWriter, value: Json, message: string, inner: ObjectSchema): void {
  const isBoolean = message.endsWith('OrBool');
  if (isObject(value)) writeValue(writer, value, isBoolean ? 2 : 1, inner);
  if (isBoolean) writeValue(writer, value !== false, 1, { type: 'boolean' });
  if (!Array.isArray(value)) return;
  const items: Schema = message.endsWith('OrStringArray') ? { type: 'string' } : inner;
  for (let at = value.length - 1; at >= 0; at--) writeValue(writer, value[at], 2, items);
}
