import type { AnyResponse } from './any-http.ts';

type Written = (error?: Error | null) => void;

/** What takes bytes: a response, or a stream before it. */
export interface Sink {
  readonly destroyed: boolean;
  write(bytes: Uint8Array, written?: Written): boolean;
  end(bytes: Uint8Array, written?: Written): unknown;
  once(event: 'drain' | 'close', listener: () => void): unknown;
  off(event: 'drain' | 'close', listener: () => void): unknown;
}

/** Enough for a hundred objects of usual size; one that is larger than this goes out by itself. */
const chunkBytes = 256 * 1024;
/** Over HTTP/1.1 a chunk's length stands in front of it, a line's end behind it, and behind the last an empty chunk. */
const lengthDigits = 8;
const lengthBytes = lengthDigits + 2;
const chunkEnd = '\r\n';
const answerEnd = '\r\n0\r\n\r\n';
const bufferBytes = lengthBytes + chunkBytes + answerEnd.length;
/** Chunks of one answer that are on their way at a time. */
const chunksPerAnswer = 3;
/** Chunks that are kept for the next answers. */
const maxSpareChunks = 8;
const spare: Buffer[] = [];

/**
 * A long answer in pieces, in memory that is used again once a piece has gone out: a list of ten thousand objects would
 * otherwise leave twenty megabytes behind each time. Its head is settled. Pieces are framed in that memory, too: whoever
 * writes a length in front of them has to copy them.
 */
export class ChunkedAnswer {
  readonly #response: AnyResponse;
  /** What the pieces are written to: the response, or what compresses them on their way to it. */
  readonly #sink: Sink;
  readonly #isFramedHere: boolean;
  #current: Buffer | undefined;
  #used = 0;
  #onTheirWay = 0;
  #wake: (() => void) | undefined;

  constructor(response: AnyResponse, sink: Sink = response) {
    this.#response = response;
    this.#sink = sink;
    if (sink === response) response.flushHeaders();
    this.#isFramedHere = sink === response && response.chunkedEncoding === true;
    if (this.#isFramedHere) response.chunkedEncoding = false;
  }

  /** Undefined when there is room; else resolves when there is, to false when the client is gone. */
  add(bytes: Uint8Array): Promise<boolean> | undefined {
    if (this.#current === undefined || this.#used + bytes.length > chunkBytes) return this.#addToNext(bytes);
    this.#current.set(bytes, lengthBytes + this.#used);
    this.#used += bytes.length;
    return undefined;
  }

  async end(tail: Uint8Array): Promise<void> {
    const full = this.add(tail);
    if (full !== undefined && !(await full)) return;
    const { bytes, written } = this.#next(answerEnd);
    this.#sink.end(bytes, written);
  }

  async #addToNext(bytes: Uint8Array): Promise<boolean> {
    if (this.#used > 0 && !(await this.#write())) return false;
    if (bytes.length > chunkBytes) return this.#writeLong(bytes);
    while (this.#onTheirWay >= chunksPerAnswer && !this.#sink.destroyed)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    this.#current = spare.pop() ?? Buffer.allocUnsafeSlow(bufferBytes);
    this.#current.set(bytes, lengthBytes);
    this.#used = bytes.length;
    return !this.#sink.destroyed;
  }

  async #write(): Promise<boolean> {
    const sink = this.#sink;
    if (sink.destroyed) return false;
    const { bytes, written } = this.#next(chunkEnd);
    return sink.write(bytes, written) || drained(sink);
  }

  #writeLong(bytes: Uint8Array): boolean | Promise<boolean> {
    const sink = this.#sink;
    countSent(this.#response, bytes.length);
    if (this.#isFramedHere) sink.write(Buffer.from(lengthLine(bytes.length)));
    let hasRoom = sink.write(bytes);
    if (this.#isFramedHere) hasRoom = sink.write(Buffer.from(chunkEnd));
    return hasRoom || drained(sink);
  }

  /** What has been gathered, and what to call when it has gone out. */
  #next(end: string): { readonly bytes: Uint8Array; readonly written: (error?: Error | null) => void } {
    const chunk = this.#current ?? Buffer.alloc(bufferBytes);
    const used = this.#used;
    countSent(this.#response, used);
    if (this.#isFramedHere) {
      chunk.write(lengthLine(used), 'latin1');
      chunk.write(end, lengthBytes + used, 'latin1');
    }
    const bytes = this.#isFramedHere
      ? chunk.subarray(0, lengthBytes + used + end.length)
      : chunk.subarray(lengthBytes, lengthBytes + used);
    this.#current = undefined;
    this.#used = 0;
    this.#onTheirWay++;
    const written = (error?: Error | null): void => {
      this.#onTheirWay--;
      // Nobody knows who still reads a chunk that could not be sent.
      if (!error && chunk.length === bufferBytes && spare.length < maxSpareChunks) spare.push(chunk);
      this.#wake?.();
    };
    return { bytes, written };
  }
}

function lengthLine(length: number): string {
  return `${length.toString(16).padStart(lengthDigits, '0')}\r\n`;
}

/** For the metrics: what an answer amounts to. */
export function countSent(response: AnyResponse, bytes: number): void {
  response.sentBytes = (response.sentBytes ?? 0) + bytes;
}

/** Resolves when more may be written; false when the client is gone. */
export function writeChunk(response: AnyResponse, chunk: Uint8Array): Promise<boolean> {
  if (response.destroyed) return Promise.resolve(false);
  countSent(response, chunk.length);
  return response.write(chunk) ? Promise.resolve(true) : drained(response);
}

/** Resolves when a client has taken what was written; false when it is gone. */
export function drained(response: Sink): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (writable: boolean) => () => {
      response.off('drain', onDrain);
      response.off('close', onClose);
      resolve(writable);
    };
    const onDrain = settle(true);
    const onClose = settle(false);
    response.once('drain', onDrain);
    response.once('close', onClose);
  });
}
