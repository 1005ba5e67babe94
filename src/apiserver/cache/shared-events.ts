import type { StreamEvent } from './watch-stream.ts';

interface Link {
  readonly number: number;
  readonly event: StreamEvent;
  next: Link | undefined;
}

/** After so many events it is looked who is too far behind. */
const lookEvery = 1000;
/** Stands where nothing is: its event is never taken. */
const nowhere = undefined as never;

/** Who reads shared events. */
export interface EventReader {
  /** Something has come. */
  nudge(): void;
  /** It is so many events behind. */
  lags(events: number): void;
}

/**
 * Events that many watchers hear alike, kept once: each watcher remembers its place in the chain, and what all have
 * read is nobody's. An event costs the same for one watcher and for a thousand.
 */
export class SharedEvents {
  /** With the event that each has taken last. */
  readonly #readers = new Map<EventReader, Link>();
  #waiting = new Set<EventReader>();
  #last: Link = { number: 0, event: nowhere, next: undefined };
  /** What was taken last: in a storm most readers take the same. */
  #taken: { readonly from: Link; readonly to: Link; readonly events: readonly StreamEvent[] } | undefined;

  get readers(): Iterable<EventReader> {
    return this.#readers.keys();
  }

  get hasReaders(): boolean {
    return this.#readers.size > 0;
  }

  /** From now on. */
  join(reader: EventReader): void {
    this.#readers.set(reader, this.#last);
  }

  leave(reader: EventReader): boolean {
    this.#taken = undefined;
    this.#waiting.delete(reader);
    return this.#readers.delete(reader);
  }

  publish(event: StreamEvent): void {
    const link: Link = { number: this.#last.number + 1, event, next: undefined };
    this.#last.next = link;
    this.#last = link;
    if (this.#waiting.size > 0) this.#wake();
    if (link.number % lookEvery === 0) this.#look();
  }

  hasNews(reader: EventReader): boolean {
    const place = this.#readers.get(reader);
    return place !== undefined && place !== this.#last;
  }

  /** What has come since the last call. */
  take(reader: EventReader): readonly StreamEvent[] {
    const from = this.#readers.get(reader);
    if (from === undefined || from === this.#last) return [];
    this.#readers.set(reader, this.#last);
    if (this.#taken?.from === from && this.#taken.to === this.#last) return this.#taken.events;
    const events: StreamEvent[] = [];
    for (let link = from.next; link !== undefined; link = link.next) events.push(link.event);
    this.#taken = { from, to: this.#last, events };
    return events;
  }

  /** The reader is nudged once, with the next event. */
  await(reader: EventReader): void {
    this.#waiting.add(reader);
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const reader of waiting) reader.nudge();
  }

  #look(): void {
    const { number } = this.#last;
    for (const [reader, place] of [...this.#readers]) reader.lags(number - place.number);
  }
}
