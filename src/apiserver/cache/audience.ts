import type { CacheEvent } from './resource-cache.ts';
import type { StoredObject } from './stored-object.ts';
import type { WatchStream } from './watch-stream.ts';

/**
 * What a watcher can hear of at all, known before any object is looked at: objects of which `read` gives `value`.
 * Watchers that read the same thing say so by the same `index`.
 */
export interface Interest {
  readonly index: string;
  readonly value: string;
  readonly read: (value: StoredObject, key: string) => string;
}

interface Index {
  readonly read: Interest['read'];
  readonly byValue: Map<string, Set<WatchStream>>;
}

/**
 * The watchers of one resource, by what they are interested in: a hundred kubelets each watch the pods of one node, and
 * a pod's change must not cost a look at all of them.
 */
export class Audience {
  readonly #everything = new Set<WatchStream>();
  readonly #indexes = new Map<string, Index>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @returns what takes the watcher out again. */
  add(stream: WatchStream, interest: Interest | undefined): () => void {
    const set = interest === undefined ? this.#everything : this.#setOf(interest);
    set.add(stream);
    this.#size++;
    return () => {
      if (!set.delete(stream)) return;
      this.#size--;
      if (interest !== undefined && set.size === 0) this.#drop(interest);
    };
  }

  *[Symbol.iterator](): Generator<WatchStream> {
    yield* this.#everything;
    for (const { byValue } of this.#indexes.values()) for (const set of byValue.values()) yield* set;
  }

  /** Tells everybody whom it can concern. */
  publish(event: CacheEvent): void {
    for (const stream of this.#everything) stream.offer(event);
    for (const { read, byValue } of this.#indexes.values()) {
      const now = read(event.value, event.key);
      const before = event.previous === undefined ? now : read(event.previous, event.key);
      for (const stream of byValue.get(now) ?? []) stream.offer(event);
      // Who watched the object for what it no longer is has to hear that it is gone.
      if (before !== now) for (const stream of byValue.get(before) ?? []) stream.offer(event);
    }
  }

  #setOf({ index: name, value, read }: Interest): Set<WatchStream> {
    let index = this.#indexes.get(name);
    if (index === undefined) {
      index = { read, byValue: new Map() };
      this.#indexes.set(name, index);
    }
    let set = index.byValue.get(value);
    if (set === undefined) {
      set = new Set();
      index.byValue.set(value, set);
    }
    return set;
  }

  #drop({ index: name, value }: Interest): void {
    const index = this.#indexes.get(name);
    index?.byValue.delete(value);
    if (index?.byValue.size === 0) this.#indexes.delete(name);
  }
}
