/** What the main thread and the writer thread say to each other. */

/**
 * The writes of one transaction, column by column, with the bytes of all values in one piece: that is handed over, where
 * each value by itself would be copied.
 */
export interface Rows {
  readonly revisions: readonly number[];
  readonly keys: readonly string[];
  readonly createRevisions: readonly number[];
  /** The revision that each replaces; 0 for none. */
  readonly previousRevisions: readonly number[];
  /** Bytes of each value; -1 for a delete. */
  readonly lengths: readonly number[];
  readonly values: Uint8Array<ArrayBuffer>;
}

export type ToWriter =
  | { readonly type: 'write'; readonly batch: number; readonly rows: Rows }
  | { readonly type: 'compact'; readonly revision: number }
  | { readonly type: 'close' };

export type FromWriter =
  | { readonly type: 'opened' }
  | { readonly type: 'written'; readonly batch: number; readonly failure: string | undefined }
  | { readonly type: 'compacted'; readonly revision: number; readonly more: boolean }
  | { readonly type: 'closed' };

/** What the writer is started with. */
export interface WriterData {
  readonly file: string;
  /** The number of the last batch that is on the disk. */
  readonly durable: Int32Array<SharedArrayBuffer>;
}
