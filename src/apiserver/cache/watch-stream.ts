import { type Clock, passed } from '#base/clock.ts';
import type { CacheEvent, ObjectFilter } from './resource-cache.ts';
import type { EventReader, SharedEvents } from './shared-events.ts';
import { type StoredObject, withRevision } from './stored-object.ts';

/** Events a watcher may be behind before it is cut off: it relists, instead of growing our memory. */
const maxBacklog = 10_000;

export interface StreamEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly value: StoredObject;
  readonly revision: number;
}

/** Events as they are after a filter that came late: what stops to match is gone for this watcher. */
export function refined(
  events: readonly StreamEvent[],
  matches: ((value: StoredObject) => boolean) | undefined,
): readonly StreamEvent[] {
  if (matches === undefined) return events;
  return events.flatMap((event): readonly StreamEvent[] => {
    if (matches(event.value)) return [event];
    return event.type === 'MODIFIED' ? [{ ...event, type: 'DELETED' }] : [];
  });
}

/** One watcher's queue. An object that starts or stops to match its filter is ADDED or DELETED for this watcher. */
export class WatchStream implements EventReader {
  readonly #filter: ObjectFilter;
  readonly #after: number;
  readonly #onClose: () => void;
  #queue: StreamEvent[] = [];
  /** Where the rest comes from, for a watcher that hears what others hear. */
  #shared: SharedEvents | undefined;
  #wake: (() => void) | undefined;
  #closed = false;

  /** @param after only events of later revisions concern this watcher */
  constructor(filter: ObjectFilter, after: number, onClose: () => void) {
    this.#filter = filter;
    this.#after = after;
    this.#onClose = onClose;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0 && this.#shared?.hasNews(this) !== true;
  }

  /** From now on it hears what all of these hear; nothing is offered to it any more. */
  share(events: SharedEvents): void {
    this.#shared = events;
    events.join(this);
  }

  offer(event: CacheEvent): void {
    if (event.revision <= this.#after) return;
    const seen = this.#translate(event);
    if (seen === undefined || this.#closed) return;
    this.#queue.push(seen);
    if (this.#queue.length > maxBacklog) this.#cut();
    this.#notify();
  }

  /** Most watchers are told the very event that all are told: it is not made anew for each. */
  #translate(event: CacheEvent): StreamEvent | undefined {
    const { type, value, previous, key, revision } = event;
    const before = previous !== undefined && this.#filter(previous, key);
    if (type === 'DELETED') return before ? event : undefined;
    if (this.#filter(value, key)) {
      const seen = before ? 'MODIFIED' : 'ADDED';
      return seen === type ? event : { type: seen, value, revision };
    }
    if (!before) return undefined;
    // The watcher is told what it last saw, at the revision of the change.
    return { type: 'DELETED', value: withRevision(previous, revision), revision };
  }

  /** Everything that has come since the last call; empty after `wait` only when the stream ended. */
  take(): readonly StreamEvent[] {
    const shared = this.#shared?.take(this) ?? [];
    if (this.#queue.length === 0) return shared;
    const taken = this.#queue;
    this.#queue = [];
    return shared.length === 0 ? taken : [...taken, ...shared];
  }

  /** Resolves when there is something to take or the stream has ended. */
  wait(): Promise<void> {
    if (!this.isEmpty || this.#closed) return Promise.resolve();
    this.#shared?.await(this);
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Called when the watcher is too far behind to go on; what it has not taken is dropped. */
  onCut: (() => void) | undefined;

  lags(events: number): void {
    if (events > maxBacklog) this.#cut();
  }

  #cut(): void {
    this.close();
    this.#queue = [];
    this.onCut?.();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // What has come until now may still be taken.
    if (this.#shared !== undefined) this.#queue.push(...this.#shared.take(this));
    this.#shared = undefined;
    this.#onClose();
    this.#notify();
  }

  /** Makes a pending `wait` return, for example to send a bookmark. */
  nudge(): void {
    this.#notify();
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

/** Wakes a stream's reader now and then, so that an idle watch can tell how far it has come. */
export async function nudgeRegularly(
  stream: WatchStream,
  { clock, intervalMs, signal }: { readonly clock: Clock; readonly intervalMs: number; readonly signal: AbortSignal },
): Promise<void> {
  while (!stream.closed && (await passed(clock, intervalMs, signal))) stream.nudge();
}
