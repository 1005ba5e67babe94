import { passed } from '#base/clock.ts';
import { Event } from '#kinds/generated/handles.ts';
import type { Event as EventObject } from '#kinds/generated/types/core_v1.ts';
import { parseTime } from '#machinery/time.ts';
import type { ResourceCache } from '../cache/resource-cache.ts';
import type { Registry } from './registry.ts';

const intervalMs = 60_000;
/** A round removes so many at most, and leaves the rest to the next. */
const maxPerRound = 5_000;

/**
 * Removes events that nobody has written for their time to live, from a store whose entries have no end of their own.
 * As with a lease in etcd, a watcher sees a deletion, and nobody is asked.
 */
export class EventExpiry {
  readonly #registry: Registry;
  readonly #cache: ResourceCache;
  readonly #ttlMs: number;
  /** When each event was written last, by its key, the oldest first. */
  readonly #writtenAt = new Map<string, number>();

  constructor(registry: Registry, ttlSeconds: number) {
    this.#registry = registry;
    this.#ttlMs = ttlSeconds * 1000;
    this.#cache = registry.resources.of(Event).storage!.cache;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#registry.environment;
    this.#cache.onEvent(({ type, key }) => {
      this.#writtenAt.delete(key);
      if (type !== 'DELETED') this.#writtenAt.set(key, clock.now());
    });
    for (let isFirst = true; await passed(clock, intervalMs, signal); isFirst = false) {
      if (isFirst) this.#takeOver();
      await this.#round().catch((error: unknown) => log.warn('cannot remove old events', { message: String(error) }));
    }
  }

  /** What was there before this server: how old it is stands in the objects. */
  #takeOver(): void {
    const known = new Map(this.#writtenAt);
    const found: [string, number][] = [];
    for (const { key, value } of this.#cache.entries())
      if (!known.has(key) && value.isReadable) found.push([key, lastWrite(value.object as EventObject)]);
    found.sort(([, left], [, right]) => left - right);
    this.#writtenAt.clear();
    for (const [key, atMs] of [...found, ...known]) this.#writtenAt.set(key, atMs);
  }

  async #round(): Promise<void> {
    const due = this.#registry.environment.clock.now() - this.#ttlMs;
    const old: string[] = [];
    for (const [key, atMs] of this.#writtenAt) {
      if (atMs > due || old.length === maxPerRound) break;
      old.push(key);
    }
    await Promise.all(old.map((key) => this.#remove(key)));
  }

  async #remove(key: string): Promise<void> {
    const entry = this.#cache.get(key);
    if (entry === undefined) return void this.#writtenAt.delete(key);
    const write = { key: this.#cache.prefix + key, expectedRevision: entry.revision, value: undefined };
    await this.#registry.store.commit(write);
  }
}

function lastWrite({ metadata, eventTime, lastTimestamp, series }: EventObject): number {
  const times = [metadata.creationTimestamp, eventTime, lastTimestamp, series?.lastObservedTime];
  return Math.max(...times.map((time) => (time ? parseTime(time) || 0 : 0)));
}
