import type { CacheEvent } from './resource-cache.ts';
import { SharedEvents } from './shared-events.ts';
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

/** Watchers with the same interest. */
class Group {
  /** For those that want to hear of all that the group hears of. */
  readonly #shared = new SharedEvents();
  readonly #choosy = new Set<WatchStream>();

  get isEmpty(): boolean {
    return this.#choosy.size === 0 && !this.#shared.hasReaders;
  }

  add(stream: WatchStream, isChoosy: boolean): void {
    if (isChoosy) this.#choosy.add(stream);
    else stream.share(this.#shared);
  }

  delete(stream: WatchStream): boolean {
    return this.#choosy.delete(stream) || this.#shared.leave(stream);
  }

  *[Symbol.iterator](): Generator<WatchStream> {
    yield* this.#choosy;
    yield* this.#shared.readers as Iterable<WatchStream>;
  }

  publish(event: CacheEvent): void {
    if (this.#shared.hasReaders) this.#shared.publish(event);
    for (const stream of this.#choosy) stream.offer(event);
  }
}

interface Index {
  readonly read: Interest['read'];
  readonly byValue: Map<string, Group>;
}

/**
 * The watchers of one resource, by what they are interested in: a hundred kubelets each watch the pods of one node, and
 * a pod's change must not cost a look at all of them.
 */
export class Audience {
  readonly #everything = new Group();
  readonly #indexes = new Map<string, Index>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /**
   * @param isChoosy whether the watcher's filter asks for more than its interest says
   * @returns what takes the watcher out again.
   */
  add(stream: WatchStream, interest: Interest | undefined, isChoosy: boolean): () => void {
    const group = interest === undefined ? this.#everything : this.#groupOf(interest);
    group.add(stream, isChoosy);
    this.#size++;
    return () => {
      if (!group.delete(stream)) return;
      this.#size--;
      if (interest !== undefined && group.isEmpty) this.#drop(interest);
    };
  }

  *[Symbol.iterator](): Generator<WatchStream> {
    yield* this.#everything;
    for (const { byValue } of this.#indexes.values()) for (const group of byValue.values()) yield* group;
  }

  /** Tells everybody whom it can concern. */
  publish(event: CacheEvent): void {
    this.#everything.publish(event);
    for (const { read, byValue } of this.#indexes.values()) {
      const now = read(event.value, event.key);
      const before = event.previous === undefined ? now : read(event.previous, event.key);
      byValue.get(now)?.publish(event);
      // Who watched the object for what it no longer is has to hear that it is gone.
      if (before !== now) byValue.get(before)?.publish(event);
    }
  }

  #groupOf({ index: name, value, read }: Interest): Group {
    let index = this.#indexes.get(name);
    if (index === undefined) {
      index = { read, byValue: new Map() };
      this.#indexes.set(name, index);
    }
    let group = index.byValue.get(value);
    if (group === undefined) {
      group = new Group();
      index.byValue.set(value, group);
    }
    return group;
  }

  #drop({ index: name, value }: Interest): void {
    const index = this.#indexes.get(name);
    index?.byValue.delete(value);
    if (index?.byValue.size === 0) this.#indexes.delete(name);
  }
}
