/** A stream was cut before its end: the peer reset it, or the connection under it is gone. */
export class StreamCutError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StreamCutError';
  }
}

/**
 * Bytes between one producer and one consumer, with back-pressure: `push` resolves once the consumer has caught up to
 * the limit. A consumer that stops reading (a `break` out of `for await`) makes every later push a no-op, so that a
 * producer never waits for somebody who left.
 */
export class ByteQueue implements AsyncIterable<Uint8Array> {
  readonly #limitBytes: number;
  readonly #onRead: (bytes: number) => void;
  #chunks: Uint8Array[] = [];
  #size = 0;
  #state: 'open' | 'ended' | 'abandoned' = 'open';
  #error: Error | undefined;
  #wakeReader: (() => void) | undefined;
  #wakeWriters: (() => void)[] = [];

  /** @param options.onRead told how many bytes the consumer has taken, each time it takes some. */
  constructor(options: { readonly limitBytes: number; readonly onRead?: (bytes: number) => void }) {
    this.#limitBytes = options.limitBytes;
    this.#onRead = options.onRead ?? (() => {});
  }

  get finished(): boolean {
    return this.#state !== 'open';
  }

  /** Never rejects: bytes for a queue that has ended are dropped. */
  push(bytes: Uint8Array): Promise<void> {
    if (this.#state !== 'open' || bytes.length === 0) return done;
    this.#chunks.push(bytes);
    this.#size += bytes.length;
    this.#wakeReader?.();
    if (this.#size < this.#limitBytes) return done;
    return new Promise((resolve) => this.#wakeWriters.push(resolve));
  }

  /** What has been pushed is still read; then reading ends, or throws `error`. The first end counts. */
  end(error?: Error): void {
    if (this.#state !== 'open') return;
    this.#state = 'ended';
    this.#error = error;
    this.#release();
  }

  /** What has come and has not been read yet, without waiting for more. */
  take(): Uint8Array {
    const bytes = Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#size = 0;
    if (bytes.length > 0) this.#onRead(bytes.length);
    this.#releaseWriters();
    return bytes;
  }

  /** Drops what is there and whatever comes. */
  abandon(): void {
    this.#state = 'abandoned';
    const dropped = this.#size;
    this.#chunks = [];
    this.#size = 0;
    if (dropped > 0) this.#onRead(dropped);
    this.#release();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (;;) {
        const chunk = this.#chunks.shift();
        if (chunk !== undefined) {
          this.#size -= chunk.length;
          this.#onRead(chunk.length);
          if (this.#size < this.#limitBytes) this.#releaseWriters();
          yield chunk;
        } else if (this.#state === 'open') {
          await new Promise<void>((resolve) => {
            this.#wakeReader = resolve;
          });
        } else {
          if (this.#error !== undefined) throw this.#error;
          return;
        }
      }
    } finally {
      this.abandon();
    }
  }

  #release(): void {
    this.#wakeReader?.();
    this.#releaseWriters();
  }

  #releaseWriters(): void {
    const waiting = this.#wakeWriters;
    this.#wakeWriters = [];
    for (const wake of waiting) wake();
  }
}

const done = Promise.resolve();
