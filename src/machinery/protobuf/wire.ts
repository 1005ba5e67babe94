import { asciiText } from './texts.ts';

/** Protocol buffers' wire format. Numbers beyond 2^53 are bigints. */

export const varintType = 0;
export const fixed64Type = 1;
export const bytesType = 2;
const fixed32Type = 5;

/** Of the memory that messages of unknown length are written in, and how much of it is kept for the next one. */
const initialBytes = 4096;
const maxSpareBytes = 256 * 1024;
let spare: Buffer | undefined;

/** Texts of up to so many characters are mostly ASCII, and sooner copied here than handed to the platform. */
const shortText = 64;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Writes a message from its end to its beginning: what is inside a message has been written, and measured, when its
 * length is due.
 */
export class BackwardWriter {
  readonly #isMeasured: boolean;
  #bytes: Buffer;
  /** Everything from here to the end is written. */
  #start: number;

  /** @param expectedBytes how much will be written, about; unknown unless given */
  constructor(expectedBytes?: number) {
    this.#isMeasured = expectedBytes !== undefined;
    // What is not written over is cut off: it need not be cleared.
    if (expectedBytes !== undefined) this.#bytes = Buffer.allocUnsafeSlow(expectedBytes);
    else this.#bytes = spare ?? Buffer.allocUnsafeSlow(initialBytes);
    if (this.#bytes === spare) spare = undefined;
    this.#start = this.#bytes.length;
  }

  /** How much is written. */
  get size(): number {
    return this.#bytes.length - this.#start;
  }

  /** What was written. Nothing can be written after it. */
  finish(): Uint8Array {
    // What was measured before leaves next to nothing to cut off.
    if (this.#isMeasured) return this.#bytes.subarray(this.#start);
    const written = Uint8Array.prototype.slice.call(this.#bytes, this.#start);
    if (this.#bytes.length <= maxSpareBytes) spare = this.#bytes;
    return written;
  }

  #reserve(count: number): void {
    if (this.#start >= count) return;
    const { size } = this;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, size + count));
    grown.set(this.#bytes.subarray(this.#start), grown.length - size);
    this.#start = grown.length - size;
    this.#bytes = grown;
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#start -= bytes.length;
    this.#bytes.set(bytes, this.#start);
  }

  tag(number: number, wireType: number): void {
    this.varint(number * 8 + wireType);
  }

  /** Negative numbers take ten bytes, as signed 64-bit integers do. */
  varint(value: number | bigint): void {
    // Tags and lengths mostly are one byte or two.
    if (typeof value === 'number' && value >= 0 && value < 128) this.#oneByte(value);
    else if (typeof value === 'number' && value >= 128 && value < 16_384) this.#twoBytes(value);
    else if (typeof value === 'bigint' || value < 0 || value > Number.MAX_SAFE_INTEGER)
      this.#longVarint(BigInt.asUintN(64, BigInt(value)));
    else this.#middleVarint(value);
  }

  #oneByte(value: number): void {
    if (this.#start < 1) this.#reserve(1);
    this.#bytes[--this.#start] = value;
  }

  #twoBytes(value: number): void {
    if (this.#start < 2) this.#reserve(2);
    this.#bytes[--this.#start] = value >> 7;
    this.#bytes[--this.#start] = (value & 127) | 128;
  }

  #middleVarint(value: number): void {
    let length = 1;
    for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length++;
    this.#reserve(length);
    this.#start -= length;
    let rest = value;
    for (let at = 0; at < length; at++) {
      this.#bytes[this.#start + at] = (rest % 128) + (at === length - 1 ? 0 : 128);
      rest = Math.floor(rest / 128);
    }
  }

  #longVarint(value: bigint): void {
    const bytes: number[] = [];
    let rest = value;
    do {
      const low = Number(rest & 127n);
      rest >>= 7n;
      bytes.push(rest === 0n ? low : low + 128);
    } while (rest !== 0n);
    this.raw(Uint8Array.from(bytes));
  }

  double(value: number): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value, true);
    this.raw(bytes);
  }

  /** Bytes with their length in front. */
  delimited(bytes: Uint8Array): void {
    this.raw(bytes);
    this.varint(bytes.length);
  }

  string(text: string): void {
    if (!this.#shortAscii(text)) this.delimited(encoder.encode(text));
  }

  #shortAscii(text: string): boolean {
    const { length } = text;
    if (length > shortText) return false;
    this.#reserve(length);
    const start = this.#start - length;
    for (let at = 0; at < length; at++) {
      const code = text.charCodeAt(at);
      if (code >= 128) return false;
      this.#bytes[start + at] = code;
    }
    this.#start = start;
    this.varint(length);
    return true;
  }
}

/** Text that is no message. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

export class WireReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#at = start;
    this.#end = end;
  }

  get done(): boolean {
    return this.#at >= this.#end;
  }

  #byte(): number {
    if (this.#at >= this.#end) throw new WireError('unexpected EOF');
    return this.#bytes[this.#at++]!;
  }

  /** The number and wire type of the next field. */
  tag(): { readonly number: number; readonly wireType: number } {
    const value = this.unsigned();
    const number = value < 128 ? value >> 3 : Math.floor(value / 8);
    if (number <= 0) throw new WireError(`proto: illegal tag ${number} (wire type ${value % 8})`);
    return { number, wireType: value % 8 };
  }

  /** A varint that fits a number: lengths and tags, most of them one byte. */
  unsigned(): number {
    const first = this.#byte();
    if (first < 128) return first;
    let value = first & 127;
    let scale = 128;
    for (let count = 1; count < 10; count++) {
      const byte = this.#byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
    throw new WireError('proto: integer overflow');
  }

  /** A signed 64-bit integer. */
  integer(): number | bigint {
    const start = this.#at;
    const value = this.unsigned();
    if (value <= Number.MAX_SAFE_INTEGER) return value;
    this.#at = start;
    let exact = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#byte();
      exact |= BigInt(byte & 127) << shift;
      if (byte < 128) break;
    }
    const signed = BigInt.asIntN(64, exact);
    const number = Number(signed);
    return Number.isSafeInteger(number) ? number : signed;
  }

  double(): number {
    const bytes = this.#take(8);
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true);
  }

  delimited(): Uint8Array {
    return this.#take(this.unsigned());
  }

  string(): string {
    const length = this.unsigned();
    const start = this.#at;
    const isShort = length <= shortText && start + length <= this.#end;
    const text = isShort ? asciiText(this.#bytes, start, length) : undefined;
    if (text === undefined) return decoder.decode(this.#take(length));
    this.#at = start + length;
    return text;
  }

  /** A reader of the message that comes next. */
  message(): WireReader {
    const length = this.unsigned();
    const start = this.#at;
    this.#pass(length);
    return new WireReader(this.#bytes, start, start + length);
  }

  skip(wireType: number): void {
    if (wireType === varintType) this.unsigned();
    else if (wireType === fixed64Type) this.#pass(8);
    else if (wireType === bytesType) this.#pass(this.unsigned());
    else if (wireType === fixed32Type) this.#pass(4);
    else throw new WireError(`proto: illegal wireType ${wireType}`);
  }

  #take(count: number): Uint8Array {
    const start = this.#at;
    this.#pass(count);
    return this.#bytes.subarray(start, this.#at);
  }

  #pass(count: number): void {
    if (this.#at + count > this.#end) throw new WireError('unexpected EOF');
    this.#at += count;
  }
}
