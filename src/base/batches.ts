import type { Clock, Timer } from './clock.ts';

export interface BatchOptions {
  /** Items that may wait; more are refused. */
  readonly bufferSize: number;
  /** Items that go together at most. */
  readonly maxSize: number;
  /** How long the first of them waits for others. */
  readonly maxWaitMs: number;
}

/** Gathers items, so that nobody waits for where they go. One batch is on its way at a time. */
export class Batches<Item> {
  readonly #options: BatchOptions;
  readonly #clock: Clock;
  readonly #deliver: (items: readonly Item[]) => void | Promise<void>;
  #waiting: Item[] = [];
  #timer: Timer | undefined;
  #delivering: Promise<void> | undefined;

  /** @param deliver takes a batch, and copes by itself with what goes wrong. */
  constructor(options: BatchOptions, clock: Clock, deliver: (items: readonly Item[]) => void | Promise<void>) {
    this.#options = options;
    this.#clock = clock;
    this.#deliver = deliver;
  }

  /** @returns whether there was room. */
  add(item: Item): boolean {
    const { bufferSize, maxSize, maxWaitMs } = this.#options;
    if (this.#waiting.length >= bufferSize) return false;
    this.#waiting.push(item);
    if (this.#waiting.length >= maxSize) this.#send();
    else this.#timer ??= this.#clock.schedule(maxWaitMs, () => this.#send());
    return true;
  }

  #send(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#waiting.length > 0) this.#delivering ??= this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    try {
      while (this.#waiting.length > 0) await this.#deliver(this.#waiting.splice(0, this.#options.maxSize));
    } finally {
      // At once: whoever adds after the last look has to find nothing on its way.
      this.#delivering = undefined;
    }
  }

  /** Resolves when all has been delivered. */
  async close(): Promise<void> {
    this.#send();
    await this.#delivering;
  }
}
