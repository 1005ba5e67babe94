import { Revisions } from '../revisions.ts';
import type { CommitResult, RangeOptions, RangeResult, Store, StoredEntry, WatchOptions, Write } from '../store.ts';

/** A store that lives as long as its process: for tests, simulation and throw-away clusters. */
export class MemoryStore implements Store {
  readonly #revisions = new Revisions();
  #compacted = 0;

  get revision(): number {
    return this.#revisions.revision;
  }

  get compactedRevision(): number {
    return this.#compacted;
  }

  async get(key: string, { revision }: { readonly revision?: number } = {}): Promise<StoredEntry | undefined> {
    return this.#revisions.get(key, revision);
  }

  async range(prefix: string, options: RangeOptions = {}): Promise<RangeResult> {
    if (options.revision !== undefined && options.revision < this.#compacted) return { outcome: 'compacted' };
    return this.#revisions.range(prefix, options);
  }

  async commit({ key, expectedRevision, value }: Write): Promise<CommitResult> {
    const previous = this.#revisions.current(key);
    if ((previous?.modRevision ?? 0) !== expectedRevision) return { outcome: 'conflict', current: previous };
    const revision = this.#revisions.revision + 1;
    const made = value?.(revision);
    this.#revisions.publish({ type: made === undefined ? 'delete' : 'put', key, revision, value: made, previous });
    return { outcome: 'committed', revision, value: made };
  }

  async watch(options: WatchOptions): Promise<'watching' | 'compacted'> {
    if (options.fromRevision < this.#compacted) return 'compacted';
    this.#revisions.watch(options.prefix, options.fromRevision, options.onEvent, options.signal);
    return 'watching';
  }

  async compact(revision: number): Promise<void> {
    this.#compacted = Math.max(this.#compacted, Math.min(revision, this.revision));
    this.#revisions.forget(this.#compacted);
  }

  async close(): Promise<void> {}
}
