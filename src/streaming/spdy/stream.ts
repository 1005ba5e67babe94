import type { ByteStream } from '#machinery/node-api.ts';
import { type ByteQueue, StreamCutError } from '../byte-queue.ts';
import { dataFrameHeader, encodeRstStream, resetStatus } from './frames.ts';
import type { SpdyHeaders } from './headers.ts';

/** Data is cut into frames of this size, so that streams of one connection take turns. */
const maxDataFrameBytes = 32 * 1024;

interface SpdyStreamParts {
  readonly id: number;
  readonly headers: SpdyHeaders;
  readonly queue: ByteQueue;
  /** Bytes that may be sent unasked; undefined when the peer keeps no windows. */
  readonly window: number | undefined;
  readonly send: (...parts: readonly Uint8Array[]) => Promise<void>;
  readonly onGone: () => void;
}

/** One stream of a SpdyConnection: made, fed and cut by it, read and written by its user. */
export class SpdyStream implements ByteStream {
  readonly id: number;
  readonly headers: SpdyHeaders;
  readonly readable: AsyncIterable<Uint8Array>;
  /** Settles when the peer accepts the stream; rejects with StreamCutError when it refuses. */
  readonly accepted: Promise<void>;
  readonly #parts: SpdyStreamParts;
  readonly #accepting = Promise.withResolvers<void>();
  #window: number | undefined;
  #windowWaiters: (() => void)[] = [];
  #writing = true;
  #reading = true;
  #error: StreamCutError | undefined;

  constructor(parts: SpdyStreamParts) {
    this.#parts = parts;
    this.id = parts.id;
    this.headers = parts.headers;
    this.readable = parts.queue;
    this.accepted = this.#accepting.promise;
    this.#window = parts.window;
    // A refusal is told to those who wait; a stream that nobody waits for must not end the process.
    this.accepted.catch(() => {});
  }

  /** Resolves when more may be written. Rejects with StreamCutError when the stream is gone. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      let length = Math.min(bytes.length - at, maxDataFrameBytes);
      while (this.#window !== undefined && this.#window <= 0 && this.#error === undefined) await this.#windowGrown();
      this.#assertWritable();
      if (this.#window !== undefined) {
        length = Math.min(length, this.#window);
        this.#window -= length;
      }
      const piece = bytes.subarray(at, at + length);
      at += length;
      await this.#parts.send(dataFrameHeader(this.id, length, { fin: false }), piece);
    }
  }

  async end(): Promise<void> {
    if (!this.#writing) return;
    this.#writing = false;
    const sent = this.#parts.send(dataFrameHeader(this.id, 0, { fin: true }));
    this.#settle();
    await sent;
  }

  destroy(): void {
    if (!this.#writing && !this.#reading) return;
    this.#parts.send(encodeRstStream(this.id, resetStatus.cancel)).catch(() => {});
    this.cut(new StreamCutError('stream destroyed'));
  }

  /** What has come and has not been read yet, without waiting for more. */
  take(): Uint8Array {
    return this.#parts.queue.take();
  }

  /** For the connection: bytes that came. Resolves when the reader has caught up. */
  receive(bytes: Uint8Array): Promise<void> {
    return this.#parts.queue.push(bytes);
  }

  /** For the connection: the peer closed its half. */
  finishReading(): void {
    this.#reading = false;
    this.#parts.queue.end();
    this.#settle();
  }

  /** For the connection: the peer has agreed to the stream. */
  accept(): void {
    this.#accepting.resolve();
  }

  /** For the connection: both halves are gone. */
  cut(error: StreamCutError): void {
    this.#error ??= error;
    this.#writing = false;
    this.#reading = false;
    this.#accepting.reject(error);
    this.#parts.queue.end(error);
    this.#wakeWriters();
    this.#parts.onGone();
  }

  /** For the connection: the peer turned out to keep windows. It says so before it accepts a stream. */
  startWindow(bytes: number): void {
    this.#window ??= bytes;
  }

  /** For the connection: the peer's reader has taken bytes. */
  grow(bytes: number): void {
    if (this.#window === undefined) return;
    this.#window += bytes;
    this.#wakeWriters();
  }

  #assertWritable(): void {
    if (this.#error !== undefined) throw this.#error;
    if (!this.#writing) throw new StreamCutError('write after end');
  }

  #windowGrown(): Promise<void> {
    return new Promise((resolve) => this.#windowWaiters.push(resolve));
  }

  #wakeWriters(): void {
    const waiting = this.#windowWaiters;
    this.#windowWaiters = [];
    for (const wake of waiting) wake();
  }

  #settle(): void {
    if (!this.#writing && !this.#reading) this.#parts.onGone();
  }
}
