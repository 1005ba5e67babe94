import type { CommitResult, StoreEvent } from '../store.ts';

/** A write that is not durable yet. */
export interface Pending {
  readonly event: StoreEvent;
  /** The write that this one builds on, while that is still on its way. */
  base: Pending | undefined;
  readonly settled: Promise<void>;
  isSettled: boolean;
  readonly resolve: (result: CommitResult) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Writes that become durable together or not at all. Each batch finds its own by their keys: one map of all writes on
 * their way would be there for good, and see `LinkedList` for what such a map holds on to.
 */
export class Batch {
  #writes: Pending[] = [];
  readonly #latest = new Map<string, Pending>();

  get writes(): readonly Pending[] {
    return this.#writes;
  }

  add(write: Pending): void {
    this.#writes.push(write);
    this.#latest.set(write.event.key, write);
  }

  /** What the key will have when the batch is durable; undefined where nothing is to wait for. */
  latest(key: string): Pending | undefined {
    const write = this.#latest.get(key);
    return write?.isSettled === true ? undefined : write;
  }

  /** Takes out writes that build on what failed. */
  without(gone: ReadonlySet<Pending>): void {
    this.#writes = this.#writes.filter((write) => !gone.has(write));
  }
}
