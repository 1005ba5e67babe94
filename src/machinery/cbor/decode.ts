import { bytesToBase64Url, encodeBase64 } from '../base64.ts';
import { DecodeError, type JsonFields, maximumNesting } from '../conform.ts';
import type { Json } from '../meta.ts';
import { parseTime } from '../time.ts';
import { halfValue, majorTypes, typeNames } from './wire.ts';

const lenient = new TextDecoder('utf-8', { ignoreBOM: true });
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * One item of CBOR as the JSON value that it stands for: byte strings are text unless a tag says how they are
 * written, times are RFC 3339, unknown tags do not count. What has no JSON (not-a-number, big numbers, keys that are
 * no text) is refused, and so are a key that stands twice, and text that is no UTF-8.
 * Throws DecodeError. The caller bounds the size of `bytes`.
 */
export function decodeCbor(bytes: Uint8Array): Json {
  const reader = new Reader(bytes);
  if (bytes.length === 0) throw new DecodeError('EOF');
  const value = reader.value();
  if (reader.at < bytes.length)
    throw new DecodeError(`cbor: ${bytes.length - reader.at} bytes of extraneous data starting at index ${reader.at}`);
  return value;
}

/** What the first byte of an item says. */
interface Head {
  readonly major: number;
  /** The lower five bits: the count itself, or where it stands. */
  readonly information: number;
  /** Undefined for a length that is not known beforehand. */
  readonly count: number | bigint | undefined;
}

const indefinite = 31;
const breakCode = 0xff;
const maximumInteger = 2n ** 63n - 1n;
/** In tags' own numbers: how the bytes inside are written as text. */
const laterEncodings: Readonly<Record<number, (bytes: Uint8Array) => string>> = {
  21: bytesToBase64Url,
  22: encodeBase64,
  23: (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(''),
};

class Reader {
  at = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #depth = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  value(): Json {
    const head = this.#head();
    switch (head.major) {
      case majorTypes.unsigned:
        return this.#integer(head, BigInt(head.count!));
      case majorTypes.negative:
        return this.#integer(head, -1n - BigInt(head.count!));
      case majorTypes.bytes:
        return lenient.decode(this.#string(head));
      case majorTypes.text:
        return this.#text(head);
      case majorTypes.array:
        return this.#nested(() => this.#array(head));
      case majorTypes.map:
        return this.#nested(() => this.#map(head));
      case majorTypes.tag:
        return this.#nested(() => this.#tagged(Number(head.count)));
      default:
        return this.#simple(head);
    }
  }

  /** The place of the next `count` bytes, which are then read. */
  #take(count: number): number {
    const start = this.at;
    if (count > this.#bytes.length - start) throw new DecodeError('unexpected EOF');
    this.at += count;
    return start;
  }

  #head(): Head {
    const first = this.#bytes[this.#take(1)]!;
    const major = first >> 5;
    const information = first & 31;
    if (information < 24) return { major, information, count: information };
    switch (information) {
      case 24:
        return { major, information, count: this.#bytes[this.#take(1)]! };
      case 25:
        return { major, information, count: this.#view.getUint16(this.#take(2)) };
      case 26:
        return { major, information, count: this.#view.getUint32(this.#take(4)) };
      case 27:
        return { major, information, count: this.#view.getBigUint64(this.#take(8)) };
      case indefinite:
        if (major >= majorTypes.bytes && major <= majorTypes.map) return { major, information, count: undefined };
        if (major === majorTypes.simple) throw new DecodeError('cbor: unexpected "break" code');
    }
    throw new DecodeError(`cbor: invalid additional information ${information} for type ${typeNames[major]}`);
  }

  #integer({ major }: Head, value: bigint): number | bigint {
    if (value > maximumInteger || value < -maximumInteger - 1n)
      throw new DecodeError(
        `cbor: cannot unmarshal ${typeNames[major]} into Go value of type interface {} (${value} overflows Go's int64)`,
      );
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  #string({ major, count }: Head): Uint8Array {
    if (count !== undefined) return this.#bytes.subarray(this.#take(Number(count)), this.at);
    const parts: number[] = [];
    while (!this.#ended()) {
      const chunk = this.#head();
      if (chunk.major !== major)
        throw new DecodeError(
          `cbor: wrong element type ${typeNames[chunk.major]} for indefinite-length ${typeNames[major]}`,
        );
      if (chunk.count === undefined)
        throw new DecodeError(`cbor: indefinite-length ${typeNames[major]} chunk is not definite-length`);
      const bytes = this.#string(chunk);
      if (major === majorTypes.text) utf8(bytes);
      for (const byte of bytes) parts.push(byte);
    }
    return Uint8Array.from(parts);
  }

  #text(head: Head): string {
    return utf8(this.#string(head));
  }

  /** Whether the end of something of unknown length is here; it is then read. */
  #ended(): boolean {
    if (this.at >= this.#bytes.length) throw new DecodeError('unexpected EOF');
    if (this.#bytes[this.at] !== breakCode) return false;
    this.at++;
    return true;
  }

  #nested<T>(read: () => T): T {
    if (++this.#depth > maximumNesting) throw new DecodeError(`cbor: exceeded max nested level ${maximumNesting}`);
    const value = read();
    this.#depth--;
    return value;
  }

  #array({ count }: Head): Json[] {
    const items: Json[] = [];
    while (count === undefined ? !this.#ended() : items.length < Number(count)) items.push(this.value());
    return items;
  }

  #map({ count }: Head): Json {
    const object: JsonFields = {};
    for (let index = 0; count === undefined ? !this.#ended() : index < Number(count); index++) {
      const key = this.#key();
      if (Object.hasOwn(object, key))
        throw new DecodeError(`cbor: found duplicate map key ${JSON.stringify(key)} at map element index ${index}`);
      const value = this.value();
      // A plain assignment would change the object's prototype.
      if (key === '__proto__')
        Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
      else object[key] = value;
    }
    return object as Json;
  }

  #key(): string {
    const head = this.#head();
    if (head.major === majorTypes.text) return this.#text(head);
    if (head.major === majorTypes.bytes) return lenient.decode(this.#string(head));
    throw new DecodeError(`cbor: cannot unmarshal ${typeNames[head.major]} into Go value of type string`);
  }

  #tagged(tag: number): Json {
    const later = laterEncodings[tag];
    if (later !== undefined) {
      const start = this.at;
      const head = this.#head();
      if (head.major === majorTypes.bytes) return later(this.#string(head));
      this.at = start;
      return this.value();
    }
    if (tag === 2 || tag === 3)
      throw new DecodeError('cbor: data item of cbor type tag is not accepted by protocol: bignum');
    const value = this.value();
    return tag === 0 || tag === 1 ? timeOf(tag, value) : value;
  }

  #simple({ information, count }: Head): Json {
    switch (information) {
      case 20:
        return false;
      case 21:
        return true;
      case 22:
        return null;
      case 24:
        if (Number(count) < 32)
          throw new DecodeError(`cbor: invalid simple value ${count} for type ${typeNames[majorTypes.simple]}`);
        break;
      case 25:
        return finite(halfValue(Number(count)));
      case 26:
        return finite(this.#view.getFloat32(this.at - 4));
      case 27:
        return finite(this.#view.getFloat64(this.at - 8));
    }
    throw refused(`simple value ${count} is not recognized`);
  }
}

function finite(value: number): number {
  if (Number.isFinite(value)) return value;
  throw refused(Number.isNaN(value) ? 'floating-point NaN' : 'floating-point infinity');
}

function refused(what: string): DecodeError {
  return new DecodeError(`cbor: data item of cbor type primitives is not accepted by protocol: ${what}`);
}

function utf8(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    throw new DecodeError('cbor: invalid UTF-8 string');
  }
}

/** Tag 0 is around RFC 3339, tag 1 around seconds since 1970. */
function timeOf(tag: number, value: Json): string {
  if (tag === 0) {
    if (typeof value === 'string' && !Number.isNaN(parseTime(value))) return value;
    throw new DecodeError(`cbor: cannot set ${JSON.stringify(value)} for time.Time`);
  }
  const date = new Date(typeof value === 'number' ? value * 1000 : Number.NaN);
  const year = date.getUTCFullYear();
  if (!(year >= 0 && year <= 9999))
    throw new DecodeError('cbor: tag number 1 must be followed by a time that RFC3339 can write');
  return date.toISOString().replace(/\.?0*Z$/, 'Z');
}
