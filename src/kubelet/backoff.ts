import type { Clock } from '#base/clock.ts';

interface Entry {
  delayMs: number;
  updatedAtMs: number;
}

const maxEntries = 10_000;

/**
 * Growing delays by key, as the kubelet uses them for restarts and image pulls: the first failure waits
 * `initialMs`, each further one twice as long up to `maxMs`, and a key that was quiet for twice `maxMs` starts anew.
 */
export class Backoff {
  readonly #clock: Clock;
  readonly #initialMs: number;
  readonly #maxMs: number;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock, limits: { readonly initialMs: number; readonly maxMs: number }) {
    this.#clock = clock;
    this.#initialMs = limits.initialMs;
    this.#maxMs = limits.maxMs;
  }

  /** The present delay in milliseconds; 0 before the first failure. */
  delayMs(key: string): number {
    return this.#entries.get(key)?.delayMs ?? 0;
  }

  /** How long still to wait when the last failure was at `sinceMs`; 0 when it is time. */
  remainingMs(key: string, sinceMs: number): number {
    const entry = this.#entries.get(key);
    if (entry === undefined || this.#isStale(entry, sinceMs)) return 0;
    return Math.max(0, entry.delayMs - (this.#clock.now() - sinceMs));
  }

  /** Counts a failure at `atMs`. */
  next(key: string, atMs: number): void {
    const entry = this.#entries.get(key);
    const now = this.#clock.now();
    if (entry === undefined || this.#isStale(entry, atMs)) {
      if (this.#entries.size >= maxEntries) this.#entries.delete(this.#entries.keys().next().value ?? '');
      this.#entries.set(key, { delayMs: this.#initialMs, updatedAtMs: now });
    } else {
      entry.delayMs = Math.min(this.#maxMs, entry.delayMs * 2);
      entry.updatedAtMs = now;
    }
  }

  forget(prefix: string): void {
    for (const key of this.#entries.keys()) if (key.startsWith(prefix)) this.#entries.delete(key);
  }

  #isStale(entry: Entry, atMs: number): boolean {
    return atMs - entry.updatedAtMs > 2 * this.#maxMs;
  }
}
