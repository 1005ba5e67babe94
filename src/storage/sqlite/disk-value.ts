import type { StatementSync } from 'node:sqlite';
import { type StoredValue, StoreUnavailable } from '../store.ts';

/**
 * A value that an earlier process wrote, or this one some time ago: read from the file whenever somebody asks for it.
 * What is about to be replaced has to be kept: its row goes with the next compaction.
 */
export class DiskValue implements StoredValue {
  readonly keepsBytes = true;
  readonly #read: StatementSync;
  readonly #revision: number;
  #kept: Uint8Array | undefined;

  /** @param read selects `value` by revision */
  constructor(read: StatementSync, revision: number) {
    this.#read = read;
    this.#revision = revision;
  }

  /** @throws StoreUnavailable when the file cannot be read, or is closed. */
  get bytes(): Uint8Array {
    return this.#kept ?? this.#load();
  }

  keep(): void {
    this.#kept ??= this.#load();
  }

  #load(): Uint8Array {
    let row: Record<string, unknown> | undefined;
    try {
      row = this.#read.get(this.#revision);
    } catch (error) {
      throw new StoreUnavailable(error instanceof Error ? error.message : String(error));
    }
    if (!(row?.['value'] instanceof Uint8Array)) throw new StoreUnavailable(`revision ${this.#revision} is gone`);
    return row['value'];
  }
}
