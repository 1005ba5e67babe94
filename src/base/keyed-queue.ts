import { type BackoffOptions, backoffDelayMs } from './backoff.ts';
import type { Clock, Timer } from './clock.ts';

/** The delays that Kubernetes' controllers use between attempts at one key: 5 ms doubling up to 1,000 s. */
const defaultRetryBackoff: BackoffOptions = { initialMs: 5, maximumMs: 1_000_000 };

/** Hears what happens to keys, for those who measure. */
export interface QueueObserver {
  added(key: string): void;
  retried(): void;
  taken(key: string): void;
  done(key: string): void;
}

/**
 * A set of keys waiting for work. A key is never worked on twice at once: added while in work, it waits until
 * `done`. Its size is bounded by the number of distinct keys, so producers never block.
 */
export class KeyedQueue {
  readonly #clock: Clock;
  readonly #backoff: BackoffOptions;
  /** Ready, in order of arrival. */
  readonly #ready = new Set<string>();
  readonly #inWork = new Set<string>();
  /** In work and added again. */
  readonly #again = new Set<string>();
  readonly #delayed = new Map<string, { readonly atMs: number; readonly timer: Timer }>();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  #closed = false;
  /** Set by whoever made the queue, before its first key. */
  observer: QueueObserver | undefined;

  constructor(clock: Clock, backoff: BackoffOptions = defaultRetryBackoff) {
    this.#clock = clock;
    this.#backoff = backoff;
  }

  /** Keys that are ready and not yet taken. */
  get size(): number {
    return this.#ready.size;
  }

  add(key: string): void {
    if (this.#closed) return;
    this.#cancelDelay(key);
    this.observer?.added(key);
    if (this.#inWork.has(key)) {
      this.#again.add(key);
      return;
    }
    const taker = this.#takers.shift();
    if (taker === undefined) {
      this.#ready.add(key);
      return;
    }
    this.#inWork.add(key);
    this.observer?.taken(key);
    taker(key);
  }

  /** Adds the key after `delayMs`, unless it is added earlier by any way. The earliest of several delays wins. */
  addAfter(key: string, delayMs: number): void {
    if (this.#closed || this.#ready.has(key)) return;
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    const atMs = this.#clock.monotonic() + delayMs;
    const waiting = this.#delayed.get(key);
    if (waiting !== undefined && waiting.atMs <= atMs) return;
    waiting?.timer.cancel();
    const timer = this.#clock.schedule(delayMs, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { atMs, timer });
  }

  /** Adds the key after a delay that doubles with each call since the last `forget`. */
  retry(key: string): void {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    this.observer?.retried();
    this.addAfter(key, backoffDelayMs(this.#backoff, failures));
  }

  /** How often the key failed since it was last forgotten. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The next key to work on; undefined once the queue is closed. The caller must call `done` with it. */
  take(): Promise<string | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    for (const key of this.#ready) {
      this.#ready.delete(key);
      this.#inWork.add(key);
      this.observer?.taken(key);
      return Promise.resolve(key);
    }
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  done(key: string): void {
    this.#inWork.delete(key);
    this.observer?.done(key);
    if (this.#again.delete(key)) this.add(key);
  }

  /** Drops what waits and tells every taker to stop. Work in progress goes on. */
  close(): void {
    this.#closed = true;
    for (const { timer } of this.#delayed.values()) timer.cancel();
    this.#delayed.clear();
    this.#ready.clear();
    this.#again.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }

  #cancelDelay(key: string): void {
    this.#delayed.get(key)?.timer.cancel();
    this.#delayed.delete(key);
  }
}
