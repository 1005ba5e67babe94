import { SortedKeys } from './sorted-keys.ts';
import { entryAfter, type RangeOptions, type RangeResult, type StoredEntry, type StoreEvent } from './store.ts';

type Watcher = (event: StoreEvent) => void;

/**
 * What both local backends keep in memory: the current entries in key order, the events since `logStart`, and the
 * watchers. The state at an older revision is the current one with the later events undone.
 */
export class Revisions {
  readonly #entries = new Map<string, StoredEntry>();
  readonly #keys = new SortedKeys();
  /** By prefix, so that a write costs nothing for those who watch something else. */
  readonly #watchers = new Map<string, Set<Watcher>>();
  #log: StoreEvent[] = [];
  /** As in etcd, the first write is the second revision. */
  #revision = 1;
  /** Events after this revision are all in the log. */
  #logStart = 1;

  get revision(): number {
    return this.#revision;
  }

  get logStart(): number {
    return this.#logStart;
  }

  current(key: string): StoredEntry | undefined {
    return this.#entries.get(key);
  }

  /** Fills in what a backend read at start; the log begins at `revision`. */
  load(entries: Iterable<StoredEntry>, revision: number): void {
    for (const entry of entries) {
      this.#entries.set(entry.key, entry);
      this.#keys.add(entry.key);
    }
    this.#revision = Math.max(revision, this.#revision);
    this.#logStart = this.#revision;
  }

  /** Makes a write visible and tells the watchers. Revisions only rise. */
  publish(event: StoreEvent): void {
    this.#revision = Math.max(this.#revision, event.revision);
    const entry = entryAfter(event);
    if (entry === undefined) {
      this.#entries.delete(event.key);
      this.#keys.delete(event.key);
    } else {
      if (event.previous === undefined) this.#keys.add(event.key);
      this.#entries.set(event.key, entry);
    }
    this.#log.push(event);
    this.#tell(event);
  }

  /** Nothing else happened up to this revision. */
  advance(revision: number): void {
    this.#revision = Math.max(this.#revision, revision);
  }

  get(key: string, revision = this.#revision): StoredEntry | undefined {
    let entry = this.#entries.get(key);
    for (let index = this.#log.length - 1; index >= 0 && entry !== undefined && entry.modRevision > revision; index--) {
      const event = this.#log[index]!;
      if (event.key === key) entry = event.previous;
    }
    if (entry !== undefined || revision >= this.#revision) return entry;
    return this.#undone(key, revision).get(key);
  }

  range(prefix: string, { limit = 0, after = '', revision = this.#revision }: RangeOptions): RangeResult {
    const undone = this.#undone(prefix, revision);
    const entries: StoredEntry[] = [];
    for (const key of mergedKeys(this.#keys.withPrefix(prefix, after), undone, after)) {
      const entry = undone.has(key) ? undone.get(key) : this.#entries.get(key);
      if (entry === undefined) continue;
      entries.push(entry);
      if (entries.length === limit)
        return { outcome: 'read', entries, revision, remaining: this.#count(prefix, key, undone) };
    }
    return { outcome: 'read', entries, revision, remaining: 0 };
  }

  /** How many entries come after a key, without a look at each: a list of many pages asks for every page. */
  #count(prefix: string, after: string, undone: ReadonlyMap<string, StoredEntry | undefined>): number {
    let count = this.#keys.countWithPrefix(prefix, after);
    for (const [key, then] of undone)
      if (key > after) count += Number(then !== undefined) - Number(this.#entries.has(key));
    return count;
  }

  /** For each key under `prefix` that changed after `revision`: the entry it had then. */
  #undone(prefix: string, revision: number): Map<string, StoredEntry | undefined> {
    const undone = new Map<string, StoredEntry | undefined>();
    for (let index = this.#log.length - 1; index >= 0 && this.#log[index]!.revision > revision; index--) {
      const event = this.#log[index]!;
      if (event.key.startsWith(prefix)) undone.set(event.key, event.previous);
    }
    return undone;
  }

  watch(prefix: string, fromRevision: number, onEvent: (event: StoreEvent) => void, signal: AbortSignal): void {
    if (signal.aborted) return;
    for (let index = this.#indexAfter(fromRevision); index < this.#log.length; index++) {
      const event = this.#log[index]!;
      if (event.key.startsWith(prefix)) onEvent(event);
    }
    const watchers = this.#watchers.get(prefix) ?? new Set();
    this.#watchers.set(prefix, watchers.add(onEvent));
    const stop = (): void => {
      watchers.delete(onEvent);
      if (watchers.size === 0 && this.#watchers.get(prefix) === watchers) this.#watchers.delete(prefix);
    };
    signal.addEventListener('abort', stop, { once: true });
  }

  #tell(event: StoreEvent): void {
    const { key } = event;
    for (let end = 0; ; ) {
      const watchers = this.#watchers.get(key.slice(0, end));
      if (watchers !== undefined) for (const watcher of watchers) watcher(event);
      if (end === key.length) return;
      const slash = key.indexOf('/', end);
      end = slash < 0 ? key.length : slash + 1;
    }
  }

  /** Drops events up to and including `revision` from memory. */
  forget(revision: number): void {
    if (revision <= this.#logStart) return;
    this.#log = this.#log.slice(this.#indexAfter(revision));
    this.#logStart = Math.min(revision, this.#revision);
  }

  /** Keeps the log within `maxEvents` by forgetting the oldest; cheap when called after every write. */
  trim(maxEvents: number): void {
    if (this.#log.length > 2 * maxEvents) this.forget(this.#log[this.#log.length - maxEvents - 1]!.revision);
  }

  #indexAfter(revision: number): number {
    let low = 0;
    let high = this.#log.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#log[middle]!.revision <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Current keys and those that only existed then, in one order. */
function* mergedKeys(
  current: Iterable<string>,
  undone: ReadonlyMap<string, StoredEntry | undefined>,
  after: string,
): Generator<string> {
  const others = [...undone.keys()].filter((key) => key > after).sort();
  let next = 0;
  for (const key of current) {
    while (next < others.length && others[next]! < key) yield others[next++]!;
    if (others[next] === key) next++;
    yield key;
  }
  yield* others.slice(next);
}
