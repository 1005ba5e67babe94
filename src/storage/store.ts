/**
 * The store under the API server: an ordered map from keys to values with one revision counter, as etcd has.
 * Backends: memory, SQLite, etcd. `contract.test.ts` is the one suite that all of them pass.
 */
export interface Store {
  /** The revision of the latest durable write; 0 when nothing was ever written. */
  readonly revision: number;

  get(key: string, options?: { readonly revision?: number }): Promise<StoredEntry | undefined>;

  /** Entries whose keys start with `prefix`, in key order, as of one revision. */
  range(prefix: string, options?: RangeOptions): Promise<RangeResult>;

  /**
   * One durable compare-and-swap. Resolves when the write would survive a crash; a watcher never sees a write before that.
   * `expectedRevision` is the entry's `modRevision`, perhaps that of a pending one, 0 for "absent". Events reach watchers before the promise resolves.
   * Rejects with StoreUnavailable when the write could not be made durable; then nothing of it is visible.
   */
  commit(write: Write): Promise<CommitResult>;

  /**
   * What a write that is not durable yet will have made of the key; undefined where there is none, or where it deletes.
   * A write may expect its revision: both become durable together or in their order, and the later fails with the
   * earlier. Whoever answers anything else from it waits until it has settled.
   */
  readonly pending?: ((key: string) => PendingEntry | undefined) | undefined;

  /**
   * Every event under `prefix` after `fromRevision`, in revision order, until `signal` aborts. Fails with 'compacted'
   * when the revisions are gone.
   */
  watch(options: WatchOptions): Promise<'watching' | 'compacted'>;

  /** Forgets revisions up to and including `revision`, except the latest of each key. */
  compact(revision: number): Promise<void>;

  /** The lowest revision that can still be read; 0 when none was compacted. */
  readonly compactedRevision: number;

  /**
   * Only where others write to the same store: resolves when everything that was committed before the call can be read
   * here.
   */
  readonly fresh?: (() => Promise<void>) | undefined;

  /** Whether entries can be given an end: then `ttlSeconds` of a write counts. */
  readonly expires?: boolean | undefined;

  /** How large it is on its disk, where that is known. */
  readonly sizeBytes?: number | undefined;

  close(): Promise<void>;
}

export interface WatchOptions {
  /** Empty, ending with a slash, or a whole key. */
  readonly prefix: string;
  readonly fromRevision: number;
  readonly onEvent: (event: StoreEvent) => void;
  readonly signal: AbortSignal;
}

/**
 * A value in the store. Local backends hand out the very value that was written, so that the API server's parsed
 * object travels with the bytes; a backend that read bytes from disk has none. Bytes are made when first asked for:
 * in memory they may never be.
 */
export interface StoredValue {
  readonly bytes: Uint8Array;
  /** The bytes can be had whenever they are asked for, from a disk mostly: whoever made something of them need not keep it. */
  readonly keepsBytes?: boolean;
  /** The bytes are durable and `source` has them from now on: the value may let go of all it can make of them. */
  settle?(source: StoredValue): void;
  /** The disk is about to lose the bytes: the value has to have them itself from now on. */
  keep?(): void;
  /** Whatever the writer attached: the API server's frozen object. */
  readonly decoded?: unknown;
}

export interface StoredEntry {
  readonly key: string;
  readonly value: StoredValue;
  readonly createRevision: number;
  readonly modRevision: number;
}

export interface PendingEntry {
  readonly entry: StoredEntry;
  /** Resolves when the write is durable or has failed. */
  readonly settled: Promise<void>;
}

export interface Write {
  readonly key: string;
  readonly expectedRevision: number;
  /**
   * Makes the value once the write is certain to be next, so that the object can carry its own revision. Called
   * synchronously, and again only by a backend that learns the revision later. Undefined deletes.
   */
  readonly value: ((revision: number) => StoredValue) | undefined;
  /** Who does not write the entry again within so many seconds loses it. Only for a store that `expires`. */
  readonly ttlSeconds?: number;
}

export type CommitResult =
  | { readonly outcome: 'committed'; readonly revision: number; readonly value: StoredValue | undefined }
  /** The entry is not at the expected revision; `current` is what is there. */
  | { readonly outcome: 'conflict'; readonly current: StoredEntry | undefined };

export interface RangeOptions {
  /** At most this many entries; 0 or absent: all. */
  readonly limit?: number;
  /** Only keys after this one. */
  readonly after?: string;
  readonly revision?: number;
}

export type RangeResult =
  | {
      readonly outcome: 'read';
      readonly entries: readonly StoredEntry[];
      readonly revision: number;
      /** How many more entries there are beyond `limit`. */
      readonly remaining: number;
    }
  | { readonly outcome: 'compacted' };

export interface StoreEvent {
  readonly type: 'put' | 'delete';
  readonly key: string;
  readonly revision: number;
  /** The new value; for a delete, undefined. */
  readonly value: StoredValue | undefined;
  /** What the event replaced. */
  readonly previous: StoredEntry | undefined;
}

/** The entry that an event leaves behind. */
export function entryAfter({ key, revision, value, previous }: StoreEvent): StoredEntry | undefined {
  if (value === undefined) return undefined;
  return { key, value, createRevision: previous?.createRevision ?? revision, modRevision: revision };
}

/** The store cannot do what it was asked: a full disk, a lost connection. Nothing of a write is visible. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

/** The store has not answered in time. A write may have been carried out nevertheless, or still be. */
export class StoreTimeout extends Error {
  override readonly name = 'StoreTimeout';
}
