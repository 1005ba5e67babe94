/** What the main thread and the writer thread say to each other. */

export interface Row {
  readonly revision: number;
  readonly key: string;
  readonly createRevision: number;
  /** The revision that this one replaces; 0 for none. */
  readonly previousRevision: number;
  /** Absent for a delete. */
  readonly value: Uint8Array | undefined;
}

export type ToWriter =
  | { readonly type: 'write'; readonly rows: readonly Row[] }
  | { readonly type: 'compact'; readonly revision: number }
  | { readonly type: 'close' };

export type FromWriter =
  | { readonly type: 'opened' }
  | { readonly type: 'written'; readonly failure: string | undefined }
  | { readonly type: 'compacted'; readonly revision: number; readonly more: boolean }
  | { readonly type: 'closed' };
