import type { Clock } from '#base/clock.ts';
import type { WatchEvent } from '#client/client.ts';
import type { ApiObject } from '#machinery/meta.ts';
import { nudgeRegularly, refined, type StreamEvent } from '../cache/watch-stream.ts';
import type { Result, WatchResult } from '../registry/operation.ts';
import { inServedVersion, readyToServe, type ServedResource } from '../resources/resource.ts';

/** Of a resource with more objects than this, those that are on a disk are not kept whole in memory by who follows them. */
const leanBeyond = 2000;
/**
 * In this process a quiet watch never falls behind the history of its own resource, so bookmarks only keep the numbers
 * that clients hold from growing old.
 */
const bookmarkIntervalMs = 10 * 60_000;

type Answer = Extract<Result, { readonly type: 'watch' }>;
type Next<T extends ApiObject> = IteratorResult<WatchEvent<T>, undefined>;

/**
 * A watch as its client reads it, one event after the other; it begins when the first is asked for. Not a generator: in
 * one process, resuming a generator would be the greater part of what an event costs.
 */
export class ServedWatch<T extends ApiObject> implements AsyncIterableIterator<WatchEvent<T>, undefined> {
  readonly #clock: Clock;
  readonly #begin: () => Promise<Answer>;
  readonly #stop = new AbortController();
  #answer: Answer | undefined;
  /** Events that are ready, and which of them is the next. */
  #events: readonly WatchEvent<T>[] = [];
  #next = 0;
  #bookmarked = 0;

  constructor(clock: Clock, begin: () => Promise<Answer>) {
    this.#clock = clock;
    this.#begin = begin;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Next<T>> {
    if (this.#next < this.#events.length) return Promise.resolve({ done: false, value: this.#events[this.#next++]! });
    return this.#answer === undefined ? this.#start() : this.#later(this.#answer);
  }

  return(): Promise<Next<T>> {
    return Promise.resolve(this.#end());
  }

  #end(): Next<T> {
    this.#stop.abort();
    this.#answer?.watch.stream.close();
    this.#events = [];
    return { done: true, value: undefined };
  }

  async #start(): Promise<Next<T>> {
    const answer = await this.#begin();
    const { watch, resource } = answer;
    this.#answer = answer;
    const { signal } = this.#stop;
    if (signal.aborted) return this.#end();
    if (watch.bookmarks)
      void nudgeRegularly(watch.stream, { clock: this.#clock, intervalMs: bookmarkIntervalMs, signal });
    this.#events = initialEvents<T>(watch, resource);
    this.#next = 0;
    return this.next();
  }

  #later(answer: Answer): Promise<Next<T>> {
    const { stream } = answer.watch;
    if (this.#stop.signal.aborted || (stream.closed && stream.isEmpty)) return this.return();
    return stream.wait().then(() => this.#take(answer));
  }

  readonly #fail = (error: unknown): never => {
    this.#end();
    throw error;
  };

  #take(answer: Answer): Next<T> | Promise<Next<T>> {
    const { watch, resource } = answer;
    const taken = watch.stream.take();
    if (taken.length === 0) return this.#bookmark(answer);
    const pending = readyToServe(
      resource,
      taken.map(({ value }) => value),
    );
    if (pending === undefined) return this.#serve(answer, taken);
    return pending.then(() => this.#serve(answer, taken), this.#fail);
  }

  #serve({ watch, resource }: Answer, taken: readonly StreamEvent[]): Next<T> | Promise<Next<T>> {
    try {
      this.#events = laterEvents<T>(watch, resource, taken);
    } catch (error) {
      this.#fail(error);
    }
    this.#next = 1;
    return this.#events.length === 0 ? this.next() : { done: false, value: this.#events[0]! };
  }

  #bookmark(answer: Answer): Next<T> | Promise<Next<T>> {
    const { watch } = answer;
    if (watch.stream.closed) return this.#end();
    const revision = watch.revision();
    if (revision <= this.#bookmarked) return this.#later(answer);
    this.#bookmarked = revision;
    return { done: false, value: { type: 'BOOKMARK', object: { metadata: { resourceVersion: String(revision) } } } };
  }
}

/** Whoever follows that many holds on to them. */
export function hasMany({ storage }: ServedResource): boolean {
  return storage !== undefined && storage.cache.size > leanBeyond;
}

function initialEvents<T extends ApiObject>(
  { initial, initialEndsAt }: WatchResult,
  resource: ServedResource,
): readonly WatchEvent<T>[] {
  const isLarge = hasMany(resource);
  const events = initial.map((value): WatchEvent<T> => {
    return { type: 'ADDED', object: (isLarge ? value.lean : value.object) as T };
  });
  if (initialEndsAt === undefined) return events;
  const annotations = { 'k8s.io/initial-events-end': 'true' };
  const metadata = { resourceVersion: String(initialEndsAt), annotations };
  return [...events, { type: 'BOOKMARK', object: { metadata } }];
}

function laterEvents<T extends ApiObject>(
  { late }: WatchResult,
  resource: ServedResource,
  events: readonly StreamEvent[],
): readonly WatchEvent<T>[] {
  const isLarge = hasMany(resource);
  return refined(events, late).map(({ type, value }): WatchEvent<T> => {
    const served = inServedVersion(resource, value);
    return { type, object: (isLarge ? served.lean : served.object) as T };
  });
}
