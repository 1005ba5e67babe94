import { expired } from '#machinery/errors.ts';
import { SortedKeys } from '#storage/sorted-keys.ts';
import type { Store, StoreEvent } from '#storage/store.ts';
import { Audience, type Interest } from './audience.ts';
import { StoredObject, withRevision } from './stored-object.ts';
import { WatchStream } from './watch-stream.ts';

/** Events of one resource that a watch can resume from; older ones answer 410. */
export const maxHistory = 2048;

/** What the cache has seen and given away since it began, for metrics. */
export interface CacheCounts {
  initial: number;
  events: number;
  /** Lists from the cache, objects that they looked at and returned. */
  lists: number;
  fetched: number;
  returned: number;
  /** Lists from the store beneath, and objects that they read. */
  storeLists: number;
  storeFetched: number;
  storeReturned: number;
}

export interface CachedEntry {
  /** Key below the resource's prefix: `namespace/name`, or `name`. */
  readonly key: string;
  readonly value: StoredObject;
  readonly revision: number;
}

export interface CacheEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly revision: number;
  readonly key: string;
  /** The new state; for DELETED the last state, carrying the revision of the deletion. */
  readonly value: StoredObject;
  readonly previous: StoredObject | undefined;
}

/** Decides which objects a watcher wants to hear of. */
export type ObjectFilter = (value: StoredObject, key: string) => boolean;

/**
 * Everything there is of one resource, in step with the store, and the one place from which all its watchers are
 * served. A write is in the cache before its writer gets the answer.
 */
export class ResourceCache {
  readonly prefix: string;
  readonly counts: CacheCounts = {
    initial: 0,
    events: 0,
    lists: 0,
    fetched: 0,
    returned: 0,
    storeLists: 0,
    storeFetched: 0,
    storeReturned: 0,
  };
  readonly #store: Store;
  readonly #entries = new Map<string, CachedEntry>();
  readonly #keys = new SortedKeys();
  readonly #watchers = new Audience();
  readonly #listeners = new Set<(event: CacheEvent) => void>();
  readonly #stop = new AbortController();
  #history: CacheEvent[] = [];
  #historyStart = 0;

  private constructor(store: Store, prefix: string) {
    this.#store = store;
    this.prefix = prefix;
  }

  /** Reads the resource from the store and follows it. */
  static async open(store: Store, prefix: string): Promise<ResourceCache> {
    const cache = new ResourceCache(store, prefix);
    const result = await store.range(prefix);
    if (result.outcome !== 'read') throw new Error(`the store compacted its newest revision under ${prefix}`);
    for (const entry of result.entries) {
      const key = entry.key.slice(prefix.length);
      cache.#entries.set(key, { key, value: StoredObject.of(entry.value), revision: entry.modRevision });
      cache.#keys.add(key);
    }
    cache.counts.initial = result.entries.length;
    cache.#historyStart = result.revision;
    const onEvent = (event: StoreEvent) => cache.#onStoreEvent(event);
    await store.watch({ prefix, fromRevision: result.revision, onEvent, signal: cache.#stop.signal });
    return cache;
  }

  /** The store's revision: this cache reflects everything up to it. */
  get revision(): number {
    return this.#store.revision;
  }

  get size(): number {
    return this.#entries.size;
  }

  get watcherCount(): number {
    return this.#watchers.size;
  }

  get(key: string): CachedEntry | undefined {
    return this.#entries.get(key);
  }

  /** Entries in key order: all, or those of one namespace. */
  *entries(namespace?: string): Generator<CachedEntry> {
    for (const key of this.#keys.withPrefix(namespace === undefined ? '' : `${namespace}/`)) {
      const entry = this.#entries.get(key);
      if (entry !== undefined) yield entry;
    }
  }

  /** The same as a list, for who looks at all of them. */
  list(namespace?: string): readonly CachedEntry[] {
    const found: CachedEntry[] = [];
    for (const key of this.#keys.allWithPrefix(namespace === undefined ? '' : `${namespace}/`)) {
      const entry = this.#entries.get(key);
      if (entry !== undefined) found.push(entry);
    }
    return found;
  }

  /** Hears of every event at once, inside the write; for indexes that must never lag. */
  onEvent(listener: (event: CacheEvent) => void): void {
    this.#listeners.add(listener);
  }

  /**
   * Events after `fromRevision` that pass the filter.
   * @throws ApiError 410 Expired when those events are no longer kept.
   */
  watch(options: {
    readonly fromRevision: number;
    readonly filter: ObjectFilter;
    /** Undefined: everything may concern the watcher. */
    readonly interest?: Interest | undefined;
    /** Whether the filter asks for more than the interest says. */
    readonly isChoosy: boolean;
    readonly signal: AbortSignal;
  }): WatchStream {
    const { fromRevision, filter, interest, isChoosy, signal } = options;
    if (fromRevision < this.#historyStart) {
      throw expired(`too old resource version: ${fromRevision} (${this.#historyStart})`);
    }
    let leave = (): void => {};
    const stream = new WatchStream(filter, fromRevision, () => leave());
    for (const event of this.#eventsAfter(fromRevision)) stream.offer(event);
    if (signal.aborted) stream.close();
    else signal.addEventListener('abort', () => stream.close(), { once: true });
    // Who waits for a revision that is yet to come does not hear what the others hear.
    const choosesAlone = isChoosy || fromRevision > this.revision;
    if (!stream.closed) leave = this.#watchers.add(stream, interest, choosesAlone);
    return stream;
  }

  /** Most watches resume from a moment ago: looked for from the end. */
  #eventsAfter(revision: number): readonly CacheEvent[] {
    let start = this.#history.length;
    while (start > 0 && this.#history[start - 1]!.revision > revision) start--;
    return this.#history.slice(start);
  }

  /** Ends every watch, whose clients then come back and see objects as they are served now. */
  endWatches(): void {
    for (const stream of [...this.#watchers]) stream.close();
  }

  /** Whether it no longer follows the store. */
  get closed(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Ends every watch and lets go of the store; the resource is gone or the server stops. */
  close(): void {
    this.#stop.abort();
    this.endWatches();
  }

  #onStoreEvent(event: StoreEvent): void {
    const key = event.key.slice(this.prefix.length);
    const previous = event.previous === undefined ? undefined : StoredObject.of(event.previous.value);
    let value: StoredObject;
    if (event.value === undefined) {
      if (previous === undefined) return;
      if (!previous.isReadable) return this.#forget(key);
      value = withRevision(previous, event.revision);
      this.#entries.delete(key);
      this.#keys.delete(key);
    } else {
      value = StoredObject.of(event.value);
      if (previous === undefined) this.#keys.add(key);
      this.#entries.set(key, { key, value, revision: event.revision });
    }
    const type = event.value === undefined ? 'DELETED' : previous === undefined ? 'ADDED' : 'MODIFIED';
    this.#publish({ type, revision: event.revision, key, value, previous });
  }

  /** What nobody could read is gone: there is nothing to show watchers, who have to list again. */
  #forget(key: string): void {
    this.#entries.delete(key);
    this.#keys.delete(key);
    for (const stream of [...this.#watchers]) stream.close();
  }

  #publish(event: CacheEvent): void {
    this.counts.events++;
    this.#history.push(event);
    if (this.#history.length > 2 * maxHistory) {
      this.#history = this.#history.slice(-maxHistory);
      this.#historyStart = this.#history[0]!.revision - 1;
    }
    for (const listener of this.#listeners) listener(event);
    this.#watchers.publish(event);
  }
}
