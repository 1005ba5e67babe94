import { type BackoffOptions, backoffDelayMs } from '#base/backoff.ts';
import { sleep } from '#base/clock.ts';
import type { Environment } from '#base/environment.ts';
import { randomInteger } from '#base/random.ts';
import { withSignal } from '#base/tasks.ts';
import type { Kind } from '#kinds/kind.ts';
import { ApiError } from '#machinery/errors.ts';
import type { ApiObject } from '#machinery/meta.ts';
import type { Client, WatchEvent } from './client.ts';
import { type Index, type IndexFunction, ObjectCache } from './object-cache.ts';
import { keyOf } from './object-key.ts';

/** Objects per page of the first list. */
const listPageLimit = 500;
/** Delays between failed lists and watches. */
const watchBackoff: BackoffOptions = { initialMs: 800, maximumMs: 30_000 };
/** A watch that ends sooner than this, without an event, counts as failed: else it would be opened in a loop. */
const shortestWatchMs = 1_000;
/** Watches ask to be ended after 5 to 10 minutes, as client-go's do, so that load spreads after a server's restart. */
const watchTimeoutSeconds = { least: 300, spread: 300 };

/**
 * What happens to objects. Called synchronously, in order, right after the cache has changed: do little here, put a
 * key into a queue. What is thrown is logged and dropped.
 */
export interface InformerHandler<T extends ApiObject> {
  added?(object: T): void;
  updated?(old: T, object: T): void;
  /** `finalStateKnown` is false when the deletion was only noticed by a relist: `object` is then the last one seen. */
  deleted?(object: T, options: { readonly finalStateKnown: boolean }): void;
}

/** Which objects an informer follows. */
export interface InformerScope {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

interface Waiter {
  readonly condition: () => boolean;
  readonly resolve: () => void;
}

/**
 * A live copy of all objects of one kind: list once, then watch, resuming after every interruption from the last
 * resourceVersion seen and listing anew only when that is too old (410).
 */
export class Informer<T extends ApiObject> {
  readonly kind: Kind<T>;
  readonly scope: InformerScope;
  readonly #client: Client;
  readonly #environment: Environment;
  readonly #cache = new ObjectCache<T>();
  readonly #handlers = new Set<InformerHandler<T>>();
  #waiters: Waiter[] = [];
  #resourceVersion = '';
  #synced = false;
  /** What was listed is being put in its place; whoever subscribes meanwhile is told what is there already. */
  #isReplacing = false;
  #ended = false;
  #failures = 0;

  constructor(options: {
    readonly client: Client;
    readonly environment: Environment;
    readonly kind: Kind<T>;
    readonly scope?: InformerScope;
  }) {
    this.#client = options.client;
    this.#environment = options.environment;
    this.kind = options.kind;
    this.scope = options.scope ?? {};
  }

  /** Whether the first list is complete. */
  get hasSynced(): boolean {
    return this.#synced;
  }

  /** The cache holds everything up to this version; '' before the first list. */
  get resourceVersion(): string {
    return this.#resourceVersion;
  }

  get size(): number {
    return this.#cache.size;
  }

  get(namespace: string | undefined, name: string): T | undefined {
    return this.#cache.get(namespace, name);
  }

  getByKey(key: string): T | undefined {
    return this.#cache.getByKey(key);
  }

  list(): Iterable<T> {
    return this.#cache.list();
  }

  index(name: string, values: IndexFunction<T>): Index<T> {
    return this.#cache.index(name, values);
  }

  /** Calls the handler for everything there is, then for every change, until the returned function is called. */
  subscribe(handler: InformerHandler<T>): () => void {
    this.#handlers.add(handler);
    if (this.#synced || this.#isReplacing)
      for (const object of [...this.#cache.list()]) this.#call(() => handler.added?.(object));
    return () => this.#handlers.delete(handler);
  }

  /** Resolves when the first list is complete. */
  synced(signal?: AbortSignal): Promise<void> {
    return this.#until(() => this.#synced, signal);
  }

  /** Resolves when the cache holds everything up to `resourceVersion`. Only for informers without selectors. */
  caughtUp(resourceVersion: string, signal?: AbortSignal): Promise<void> {
    const wanted = Number(resourceVersion);
    return this.#until(() => this.#synced && Number(this.#resourceVersion) >= wanted, signal);
  }

  /** Resolves when the object with this uid is no longer in the cache, or is being deleted. */
  sawDeletion(key: string, uid: string, signal?: AbortSignal): Promise<void> {
    return this.#until(() => {
      const { metadata } = this.#cache.getByKey(key) ?? {};
      return metadata?.uid !== uid || metadata.deletionTimestamp !== undefined;
    }, signal);
  }

  /** Lists and watches until the signal aborts; then resolves. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.#follow(signal);
    } finally {
      // Whoever waits for what will not come any more is let go.
      this.#ended = true;
      this.#wake();
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.#resourceVersion === '') await this.#list(signal);
        await this.#watch(signal);
      } catch (error) {
        if (signal.aborted) return;
        await this.#recover(error, signal);
      }
    }
  }

  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    if (error instanceof ApiError && error.code === 410) {
      this.#resourceVersion = '';
      this.#failures++;
      // The first relist is immediate: nothing is wrong, the watch was only away for too long.
      if (this.#failures === 1) return;
    } else {
      this.#failures++;
      const message = error instanceof Error ? error.message : String(error);
      this.#environment.log.warn(`cannot follow ${this.kind.resource}`, { message, failures: this.#failures });
    }
    const delayMs = backoffDelayMs(watchBackoff, this.#failures) * (1 + this.#environment.random.next());
    await sleep(this.#environment.clock, delayMs, signal).catch(() => undefined);
  }

  async #list(signal: AbortSignal): Promise<void> {
    const items: T[] = [];
    let token: string | undefined;
    let resourceVersion = '';
    do {
      const page = await this.#client.list(this.kind, { ...this.scope, limit: listPageLimit, continue: token, signal });
      items.push(...page.items);
      resourceVersion = page.metadata.resourceVersion ?? '';
      token = page.metadata.continue === '' ? undefined : page.metadata.continue;
      // In one process a long list would keep everybody else from their turn.
      if (token !== undefined) await sleep(this.#environment.clock, 0, signal);
    } while (token !== undefined);
    await this.#replace(items, resourceVersion, signal);
  }

  async #replace(items: readonly T[], resourceVersion: string, signal: AbortSignal): Promise<void> {
    const present = new Set(items.map(keyOf));
    this.#isReplacing = true;
    for (const object of [...this.#cache.list()]) {
      if (!present.has(keyOf(object))) this.#remove(object, false);
    }
    for (const [index, object] of items.entries()) {
      const old = this.#cache.getByKey(keyOf(object));
      if (old?.metadata.resourceVersion !== object.metadata.resourceVersion || old === undefined) this.#put(object);
      if (index % listPageLimit === listPageLimit - 1) await sleep(this.#environment.clock, 0, signal);
    }
    this.#isReplacing = false;
    this.#resourceVersion = resourceVersion;
    this.#synced = true;
    this.#wake();
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#environment;
    const startedMs = clock.monotonic();
    let sawEvent = false;
    const events = this.#client.watch(this.kind, {
      ...this.scope,
      resourceVersion: this.#resourceVersion,
      allowWatchBookmarks: true,
      timeoutSeconds: watchTimeoutSeconds.least + randomInteger(random, watchTimeoutSeconds.spread),
      signal,
    });
    for await (const event of events) {
      sawEvent = true;
      this.#failures = 0;
      this.#apply(event);
    }
    if (!sawEvent && !signal.aborted && clock.monotonic() - startedMs < shortestWatchMs) {
      throw new Error('the watch ended at once');
    }
  }

  #apply(event: WatchEvent<T>): void {
    const { resourceVersion } = event.object.metadata;
    if (resourceVersion !== undefined) this.#resourceVersion = resourceVersion;
    if (event.type === 'DELETED') this.#remove(event.object, true);
    else if (event.type !== 'BOOKMARK') this.#put(event.object);
    if (this.#waiters.length > 0) this.#wake();
  }

  #put(object: T): void {
    const old = this.#cache.set(object);
    for (const handler of this.#handlers) {
      // A name that was reused while the watch was away is another object: what refers to the old one must hear of it.
      if (old !== undefined && old.metadata.uid !== object.metadata.uid) {
        this.#call(() => handler.deleted?.(old, { finalStateKnown: false }));
        this.#call(() => handler.added?.(object));
      } else if (old === undefined) this.#call(() => handler.added?.(object));
      else this.#call(() => handler.updated?.(old, object));
    }
  }

  #remove(object: T, finalStateKnown: boolean): void {
    if (this.#cache.delete(keyOf(object)) === undefined) return;
    for (const handler of this.#handlers) this.#call(() => handler.deleted?.(object, { finalStateKnown }));
  }

  #call(handle: () => void): void {
    try {
      handle();
    } catch (error) {
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#environment.log.error(`a handler of ${this.kind.resource} failed`, { message });
    }
  }

  #until(condition: () => boolean, signal: AbortSignal | undefined): Promise<void> {
    if (this.#ended || condition()) return Promise.resolve();
    let waiter: Waiter | undefined;
    const met = new Promise<void>((resolve) => {
      waiter = { condition, resolve };
      this.#waiters.push(waiter);
    });
    return withSignal(met, signal).catch((error: unknown) => {
      this.#waiters = this.#waiters.filter((other) => other !== waiter);
      throw error;
    });
  }

  #wake(): void {
    this.#waiters = this.#waiters.filter(({ condition, resolve }) => {
      if (!this.#ended && !condition()) return true;
      resolve();
      return false;
    });
  }
}
