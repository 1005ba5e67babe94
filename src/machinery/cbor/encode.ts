import { decodeBase64 } from '../base64.ts';
import type { Json, JsonObject } from '../meta.ts';
import type { Field, Schema } from '../schema.ts';
import { base64Tag, halfBits, majorTypes, selfDescribed } from './wire.ts';

const initialBytes = 1024;
const encoder = new TextEncoder();

/**
 * A value as one self-described item of CBOR. Text goes as byte strings, keys too, sorted as deterministic CBOR wants
 * it; numbers take the least room; fields of type `bytes` are bytes with a tag instead of base64. Values that the
 * schema does not know, and everything when there is none, go by what they are.
 */
export function encodeCbor(value: unknown, schema?: Schema): Uint8Array {
  const writer = new Writer();
  writer.raw(selfDescribed);
  writer.value(value as Json, schema);
  return writer.finish();
}

/** One event of a watch, an item of the sequence (RFC 8742) that its body is; `object` is encoded already. */
export function encodeCborFrame(type: string, object: Uint8Array): Uint8Array {
  const writer = new Writer();
  writer.raw(selfDescribed);
  writer.head(majorTypes.map, 2);
  writer.text('type');
  writer.text(type);
  writer.text('object');
  writer.raw(object);
  return writer.finish();
}

/** Whether bytes begin as `encodeCbor` begins them. */
export function isSelfDescribed(bytes: Uint8Array): boolean {
  return selfDescribed.every((byte, at) => bytes[at] === byte);
}

class Writer {
  #bytes = new Uint8Array(initialBytes);
  #view = new DataView(this.#bytes.buffer);
  #end = 0;

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#end);
  }

  /** Where the next `count` bytes go. */
  #reserve(count: number): number {
    const start = this.#end;
    this.#end += count;
    if (this.#end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#end));
      grown.set(this.#bytes.subarray(0, start));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return start;
  }

  raw(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** The first byte of an item with its length or number. */
  head(major: number, count: number | bigint): void {
    const first = major << 5;
    if (count < 24) {
      const at = this.#reserve(1);
      this.#bytes[at] = first | Number(count);
    } else if (count < 0x100) {
      const at = this.#reserve(2);
      this.#bytes[at] = first | 24;
      this.#bytes[at + 1] = Number(count);
    } else if (count < 0x10000) {
      const at = this.#reserve(3);
      this.#bytes[at] = first | 25;
      this.#view.setUint16(at + 1, Number(count));
    } else if (count < 0x100000000) {
      const at = this.#reserve(5);
      this.#bytes[at] = first | 26;
      this.#view.setUint32(at + 1, Number(count));
    } else {
      const at = this.#reserve(9);
      this.#bytes[at] = first | 27;
      this.#view.setBigUint64(at + 1, BigInt(count));
    }
  }

  text(text: string): void {
    const bytes = encoder.encode(text);
    this.head(majorTypes.bytes, bytes.length);
    this.raw(bytes);
  }

  value(value: Json, schema: Schema | undefined): void {
    switch (typeof value) {
      case 'string':
        if (schema?.type === 'bytes') this.#binary(value);
        else this.text(value);
        return;
      case 'boolean':
        this.head(majorTypes.simple, value ? 21 : 20);
        return;
      case 'bigint':
        this.#integer(value);
        return;
      case 'number':
        if (schema?.type !== 'double' && Number.isSafeInteger(value) && !Object.is(value, -0)) this.#integer(value);
        else this.#float(value);
        return;
      default:
        if (Array.isArray(value)) this.#array(value, schema);
        else if (value === null || value === undefined) this.head(majorTypes.simple, 22);
        else this.#map(value as JsonObject, schema);
    }
  }

  #binary(base64: string): void {
    const bytes = decodeBase64(base64);
    this.head(majorTypes.tag, base64Tag);
    this.head(majorTypes.bytes, bytes.length);
    this.raw(bytes);
  }

  #integer(value: number | bigint): void {
    if (value >= 0) this.head(majorTypes.unsigned, value);
    else this.head(majorTypes.negative, typeof value === 'bigint' ? -1n - value : -1 - value);
  }

  #float(value: number): void {
    if (!Number.isFinite(value)) throw new Error(`no CBOR for the number ${value}`);
    const half = halfBits(value);
    const at = this.#reserve(half === undefined ? (Math.fround(value) === value ? 5 : 9) : 3);
    const size = this.#end - at;
    this.#bytes[at] = (majorTypes.simple << 5) | (size === 3 ? 25 : size === 5 ? 26 : 27);
    if (half !== undefined) this.#view.setUint16(at + 1, half);
    else if (size === 5) this.#view.setFloat32(at + 1, value);
    else this.#view.setFloat64(at + 1, value);
  }

  #array(items: readonly Json[], schema: Schema | undefined): void {
    const inner = schema?.type === 'list' ? schema.items : undefined;
    this.head(majorTypes.array, items.length);
    for (const item of items) this.value(item, inner);
  }

  #map(object: JsonObject, schema: Schema | undefined): void {
    const fields: ReadonlyMap<string, Field> | undefined = schema?.type === 'object' ? schema.fields : undefined;
    const values = schema?.type === 'map' ? schema.values : undefined;
    const keys = Object.keys(object).filter((key) => object[key] !== undefined);
    this.head(majorTypes.map, keys.length);
    for (const key of keys.sort(byEncodedForm)) {
      this.text(key);
      this.value(object[key]!, values ?? fields?.get(key)?.schema);
    }
  }
}

const ascii = /^[\0-\x7f]*$/;

/** The order of keys as they are encoded: the shorter first, then by their bytes. */
function byEncodedForm(left: string, right: string): number {
  if (ascii.test(left) && ascii.test(right)) return left.length - right.length || (left < right ? -1 : 1);
  const [first, second] = [encoder.encode(left), encoder.encode(right)];
  if (first.length !== second.length) return first.length - second.length;
  const at = first.findIndex((byte, index) => byte !== second[index]);
  return at < 0 ? 0 : first[at]! - second[at]!;
}
