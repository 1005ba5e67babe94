import type { CommitResult, RangeOptions, RangeResult, Store, StoredEntry, WatchOptions, Write } from './store.ts';

/** A store on another one: hands on what a layer does not change. */
export abstract class StoreLayer implements Store {
  protected readonly inner: Store;

  constructor(inner: Store) {
    this.inner = inner;
  }

  get revision(): number {
    return this.inner.revision;
  }

  get compactedRevision(): number {
    return this.inner.compactedRevision;
  }

  get expires(): Store['expires'] {
    return this.inner.expires;
  }

  get sizeBytes(): number | undefined {
    return this.inner.sizeBytes;
  }

  get fresh(): Store['fresh'] {
    const { fresh } = this.inner;
    return fresh === undefined ? undefined : () => fresh.call(this.inner);
  }

  get pending(): Store['pending'] {
    const { pending } = this.inner;
    return pending === undefined ? undefined : (key) => pending.call(this.inner, key);
  }

  get(key: string, options?: { readonly revision?: number }): Promise<StoredEntry | undefined> {
    return this.inner.get(key, options);
  }

  range(prefix: string, options?: RangeOptions): Promise<RangeResult> {
    return this.inner.range(prefix, options);
  }

  commit(write: Write): Promise<CommitResult> {
    return this.inner.commit(write);
  }

  watch(options: WatchOptions): Promise<'watching' | 'compacted'> {
    return this.inner.watch(options);
  }

  compact(revision: number): Promise<void> {
    return this.inner.compact(revision);
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}
