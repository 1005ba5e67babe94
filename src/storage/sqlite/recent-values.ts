import type { StatementSync } from 'node:sqlite';
import type { StoredEntry } from '../store.ts';
import { DiskValue } from './disk-value.ts';

/**
 * Bytes of the values that were written last and stay in memory; of what is older only the disk has all. What is made
 * of a value takes about three times as much as its bytes.
 */
export const recentBytes = 24 * 1024 * 1024;

/** What stays in memory when there was no more room. */
const keptShare = 0.9;

/** The latest value of each key that this process wrote, the one that was written first in front. */
export class RecentValues {
  readonly #read: StatementSync;
  readonly #maxBytes: number;
  readonly #entries = new Map<string, { readonly entry: StoredEntry; readonly size: number }>();
  #bytes = 0;

  /** @param read selects `value` by revision */
  constructor(read: StatementSync, maxBytes: number) {
    this.#read = read;
    this.#maxBytes = maxBytes;
  }

  /** Takes note of what a key has from now on: a value that is durable, or none. */
  replace(key: string, entry: StoredEntry | undefined): void {
    const before = this.#entries.get(key);
    if (before !== undefined) {
      this.#bytes -= before.size;
      this.#entries.delete(key);
    }
    if (entry?.value.settle === undefined) return;
    const size = entry.value.bytes.length;
    this.#entries.set(key, { entry, size });
    this.#bytes += size;
    if (this.#bytes > this.#maxBytes) this.#settleOldest();
  }

  #settleOldest(): void {
    // Many at once: looking for the first of a map steps over all that was deleted before it.
    const enough = this.#maxBytes * keptShare;
    for (const [key, { entry, size }] of this.#entries) {
      if (this.#bytes <= enough) return;
      this.#entries.delete(key);
      this.#bytes -= size;
      entry.value.settle?.(new DiskValue(this.#read, entry.modRevision));
    }
  }
}
