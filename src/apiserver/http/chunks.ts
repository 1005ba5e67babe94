import type { AnyResponse } from './answer.ts';

/** Enough for sixty objects of usual size; one that is larger goes out by itself. */
const chunkBytes = 256 * 1024;
/** Chunks that are filled while others are on their way. */
const chunksPerAnswer = 3;

/**
 * A long answer in pieces, in memory that is used again once a piece has gone out: a list of ten thousand objects would
 * otherwise leave twenty megabytes behind each time.
 */
export class ChunkedAnswer {
  readonly #response: AnyResponse;
  /** Buffers that are not on their way. */
  readonly #free: Buffer[] = [];
  #made = 0;
  #current: Buffer | undefined;
  #used = 0;
  #wake: (() => void) | undefined;

  constructor(response: AnyResponse) {
    this.#response = response;
  }

  /** Undefined when there is room; else resolves when there is, to false when the client is gone. */
  add(bytes: Uint8Array): Promise<boolean> | undefined {
    if (this.#current !== undefined && this.#used + bytes.length <= chunkBytes) {
      this.#current.set(bytes, this.#used);
      this.#used += bytes.length;
      return undefined;
    }
    return this.#addToNext(bytes);
  }

  async end(tail: Uint8Array): Promise<void> {
    if (!(await this.#flush())) return;
    const response = this.#response;
    response.sentBytes = (response.sentBytes ?? 0) + tail.length;
    response.end(tail);
  }

  async #addToNext(bytes: Uint8Array): Promise<boolean> {
    if (!(await this.#flush())) return false;
    if (bytes.length > chunkBytes) return this.#write(bytes);
    this.#current = await this.#buffer();
    this.#current.set(bytes);
    this.#used = bytes.length;
    return !this.#response.destroyed;
  }

  async #buffer(): Promise<Buffer> {
    while (this.#free.length === 0 && this.#made === chunksPerAnswer && !this.#response.destroyed)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    const free = this.#free.pop();
    if (free !== undefined) return free;
    this.#made++;
    return Buffer.allocUnsafeSlow(chunkBytes);
  }

  async #flush(): Promise<boolean> {
    const chunk = this.#current;
    if (chunk === undefined) return !this.#response.destroyed;
    this.#current = undefined;
    return this.#write(chunk.subarray(0, this.#used), chunk);
  }

  async #write(bytes: Uint8Array, buffer?: Buffer): Promise<boolean> {
    const response = this.#response;
    if (response.destroyed) return false;
    response.sentBytes = (response.sentBytes ?? 0) + bytes.length;
    // Called when the bytes have gone out, and with an error when they never will.
    const written = (): void => {
      if (buffer !== undefined) this.#free.push(buffer);
      this.#wake?.();
    };
    return response.write(bytes, written) || drained(response);
  }
}

/** Resolves when more may be written; false when the client is gone. */
export function writeChunk(response: AnyResponse, chunk: Uint8Array): Promise<boolean> {
  if (response.destroyed) return Promise.resolve(false);
  response.sentBytes = (response.sentBytes ?? 0) + chunk.length;
  return response.write(chunk) ? Promise.resolve(true) : drained(response);
}

/** Resolves when a client has taken what was written; false when it is gone. */
export function drained(response: AnyResponse): Promise<boolean> {
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
