import type { StatementSync } from 'node:sqlite';
import type { StoredEntry, StoredValue } from '../store.ts';
import { DiskValue } from './disk-value.ts';

/** How many bytes of the values that were written last stay in memory, and in what form. */
export interface RecentLimits {
  /** With all that was made of them, which takes about three times as much as the bytes do. */
  readonly whole: number;
  /** The bytes alone, of what was written before that. Of what is older only the disk has all. */
  readonly bytes: number;
}

export const recentLimits: RecentLimits = { whole: 8 * 1024 * 1024, bytes: 16 * 1024 * 1024 };

/** What stays of a window that is full. */
const keptShare = 0.9;

/** The latest value of each key that this process wrote. */
export class RecentValues {
  readonly #whole: Window;
  readonly #bytes: Window;

  /** @param read selects `value` by revision */
  constructor(read: StatementSync, { whole, bytes }: RecentLimits = recentLimits) {
    this.#bytes = new Window(bytes, ({ value, modRevision }) => value.settle?.(new DiskValue(read, modRevision)));
    this.#whole = new Window(whole, (entry) => {
      const { bytes } = entry.value;
      entry.value.settle?.(new BytesValue(bytes));
      this.#bytes.add(entry, bytes.length);
    });
  }

  /** Takes note of what a key has from now on, and had until now: a value that is durable, or none. */
  replace(previous: StoredEntry | undefined, entry: StoredEntry | undefined): void {
    if (previous !== undefined && !this.#whole.delete(previous.key)) this.#bytes.delete(previous.key);
    if (entry?.value.settle !== undefined) this.#whole.add(entry, entry.value.bytes.length);
  }
}

/** Values in the order in which they came, as long as there is room. */
class Window {
  readonly #maxBytes: number;
  readonly #leave: (entry: StoredEntry) => void;
  readonly #entries = new Map<string, { readonly entry: StoredEntry; readonly size: number }>();
  #bytes = 0;

  constructor(maxBytes: number, leave: (entry: StoredEntry) => void) {
    this.#maxBytes = maxBytes;
    this.#leave = leave;
  }

  add(entry: StoredEntry, size: number): void {
    this.#entries.set(entry.key, { entry, size });
    this.#bytes += size;
    if (this.#bytes > this.#maxBytes) this.#makeRoom();
  }

  delete(key: string): boolean {
    const size = this.#entries.get(key)?.size;
    if (size === undefined) return false;
    this.#bytes -= size;
    return this.#entries.delete(key);
  }

  #makeRoom(): void {
    // Many at once: looking for the first of a map steps over all that was deleted before it.
    const enough = this.#maxBytes * keptShare;
    for (const [key, { entry }] of this.#entries) {
      if (this.#bytes <= enough) return;
      this.delete(key);
      this.#leave(entry);
    }
  }
}

/** The bytes of a value, and nothing else. */
class BytesValue implements StoredValue {
  readonly keepsBytes = true;
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}
