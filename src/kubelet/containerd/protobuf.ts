import { type CriField, criEnums, criMessages } from '../cri/generated/table.ts';

/**
 * Protocol Buffers for the messages of the CRI field table (and a few of containerd's own that are given the same
 * way). Decoding fills in every absent scalar, list and map, as the generated types promise; unknown fields are
 * skipped.
 */

type Fields = readonly CriField[];
type Value = Readonly<Record<string, unknown>>;

/** Messages by name, in the form of the CRI field table. */
export type MessageTable = Readonly<Record<string, Fields>>;

const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** Encodes a message; members that are absent or empty take no bytes. */
export function encodeMessage(type: string, message: object, table: MessageTable = criMessages): Buffer {
  const writer = new Writer();
  writeFields(writer, table[type]!, message as Value, table);
  return writer.finish();
}

/** Decodes a message. Throws RangeError when the bytes are cut short. */
export function decodeMessage<Message>(type: string, bytes: Uint8Array, table: MessageTable = criMessages): Message {
  return readFields(new Reader(bytes), type, table) as Message;
}

function writeFields(writer: Writer, fields: Fields, message: Value, table: MessageTable): void {
  for (const [number, name, type, label] of fields) {
    const value = message[name];
    if (value === undefined || value === null) continue;
    if (type === 'map') {
      for (const [key, item] of Object.entries(value as Record<string, string>)) {
        const entry = new Writer();
        writeScalar(entry, 1, 'string', key);
        writeScalar(entry, 2, 'string', item);
        writer.bytes(number, entry.finish());
      }
    } else if (label === 'repeated') {
      writeRepeated(writer, number, type, value as readonly unknown[], table);
    } else if (table[type] !== undefined) {
      writer.bytes(number, encodeMessage(type, value as object, table));
    } else if (!isEmpty(type, value)) {
      writeScalar(writer, number, type, value);
    }
  }
}

function writeRepeated(
  writer: Writer,
  number: number,
  type: string,
  items: readonly unknown[],
  table: MessageTable,
): void {
  for (const item of items) {
    if (table[type] !== undefined) writer.bytes(number, encodeMessage(type, item as object, table));
    // Readers take unpacked numbers as well as packed ones.
    else writeScalar(writer, number, type, item);
  }
}

function isEmpty(type: string, value: unknown): boolean {
  if (value === '' || value === 0 || value === false) return true;
  if (type === 'bytes') return (value as Uint8Array).length === 0;
  return criEnums[type]?.[value as string] === 0;
}

function writeScalar(writer: Writer, number: number, type: string, value: unknown): void {
  switch (type) {
    case 'string':
      writer.bytes(number, Buffer.from(value as string));
      return;
    case 'bytes':
      writer.bytes(number, value as Uint8Array);
      return;
    case 'bool':
      writer.varint(number, value === true ? 1 : 0);
      return;
    case 'double':
      writer.double(number, value as number);
      return;
    default:
      writer.varint(number, typeof value === 'number' ? value : (criEnums[type]?.[value as string] ?? 0));
  }
}

class Writer {
  readonly #parts: Uint8Array[] = [];

  bytes(number: number, value: Uint8Array): void {
    this.#parts.push(varint(number * 8 + wire.bytes), varint(value.length), value);
  }

  varint(number: number, value: number): void {
    this.#parts.push(varint(number * 8 + wire.varint), varint(value));
  }

  double(number: number, value: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    this.#parts.push(varint(number * 8 + wire.fixed64), bytes);
  }

  finish(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  if (value < 0) {
    // Negative numbers travel as 64-bit two's complement.
    for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
      bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
      if (rest <= 0x7fn) return Buffer.from(bytes);
    }
  }
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

function readFields(reader: Reader, type: string, table: MessageTable): Value {
  const fields = table[type]!;
  const message: Record<string, unknown> = {};
  for (const [, name, fieldType, label] of fields) {
    const value = emptyValue(fieldType, label, table);
    if (value !== undefined) message[name] = value;
  }
  const byNumber = new Map(fields.map((field) => [field[0], field]));
  while (!reader.done) {
    const tag = reader.varint();
    const field = byNumber.get(Math.floor(tag / 8));
    if (field === undefined) reader.skip(tag % 8);
    else readField(reader, tag % 8, field, message, table);
  }
  return message;
}

function readField(
  reader: Reader,
  wireType: number,
  field: CriField,
  message: Record<string, unknown>,
  table: MessageTable,
): void {
  const [, name, type, label] = field;
  if (type === 'map') {
    const { key, value } = readFields(reader.nested(), mapEntry, mapEntryTable) as { key: string; value: string };
    Object.defineProperty(message[name], key, { value, enumerable: true, configurable: true, writable: true });
  } else if (label !== 'repeated') {
    message[name] = readValue(reader, type, table);
  } else if (wireType === wire.bytes && type !== 'string' && type !== 'bytes' && table[type] === undefined) {
    const packed = reader.nested();
    while (!packed.done) (message[name] as unknown[]).push(readValue(packed, type, table));
  } else {
    (message[name] as unknown[]).push(readValue(reader, type, table));
  }
}

const mapEntry = 'Entry';
const mapEntryTable: MessageTable = {
  [mapEntry]: [
    [1, 'key', 'string'],
    [2, 'value', 'string'],
  ],
};

function emptyValue(type: string, label: string | undefined, table: MessageTable): unknown {
  if (type === 'map') return {};
  if (label === 'repeated') return [];
  if (table[type] !== undefined) return undefined;
  if (type === 'string') return '';
  if (type === 'bytes') return new Uint8Array(0);
  if (type === 'bool') return false;
  return enumName(type, 0) ?? 0;
}

function readValue(reader: Reader, type: string, table: MessageTable): unknown {
  switch (type) {
    case 'string':
      return reader.bytes().toString('utf8');
    case 'bytes':
      return new Uint8Array(reader.bytes());
    case 'bool':
      return reader.varint() !== 0;
    case 'double':
      return reader.double();
    default:
      if (table[type] !== undefined) return readFields(reader.nested(), type, table);
      return readNumber(reader, type);
  }
}

function readNumber(reader: Reader, type: string): number | string {
  const value = reader.varint();
  return enumName(type, value) ?? value;
}

const enumNames = new Map(
  Object.entries(criEnums).map(([type, values]) => [
    type,
    new Map(Object.entries(values).map(([name, number]) => [number, name])),
  ]),
);

function enumName(type: string, value: number): string | undefined {
  const names = enumNames.get(type);
  // A value that a newer runtime knows counts as the first, which every enum of CRI uses for "the usual".
  return names && (names.get(value) ?? names.get(0));
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** As a signed 64-bit number; exact to 2^53. */
  varint(): number {
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      low += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return low;
    }
    let whole = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      whole |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asIntN(64, whole));
    }
    throw new RangeError('varint is too long');
  }

  double(): number {
    const at = this.#take(8);
    return this.#bytes.readDoubleLE(at);
  }

  bytes(): Buffer {
    const length = this.varint();
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  nested(): Reader {
    return new Reader(this.bytes());
  }

  skip(wireType: number): void {
    if (wireType === wire.varint) this.varint();
    else if (wireType === wire.fixed64) this.#take(8);
    else if (wireType === wire.bytes) this.bytes();
    else if (wireType === wire.fixed32) this.#take(4);
    else throw new RangeError(`unknown wire type ${wireType}`);
  }

  #byte(): number {
    return this.#bytes[this.#take(1)]!;
  }

  #take(length: number): number {
    const at = this.#at;
    if (length < 0 || at + length > this.#bytes.length) throw new RangeError('message is cut short');
    this.#at += length;
    return at;
  }
}
