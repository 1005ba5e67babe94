import type { HistogramReading } from '#base/metrics.ts';

const nanosecondsPerMs = 1e6;

/** How long a value was in which range, as parts of another: it counts as if observed at the end of every nanosecond. */
export class TimedRatio {
  readonly #bounds: readonly number[];
  readonly #buckets: number[];
  #sum = 0;
  #count = 0;
  #value = 0;
  #whole = 1;
  #ratio = 0;
  #bucket = 0;
  #sinceMs: number;

  /** @param upperBounds of the buckets, in rising order. @param nowMs monotonic, here as everywhere. */
  constructor(upperBounds: readonly number[], nowMs: number) {
    this.#bounds = upperBounds;
    this.#buckets = [...upperBounds.map(() => 0), 0];
    this.#sinceMs = nowMs;
    this.#place();
  }

  set(value: number, nowMs: number): void {
    this.#settle(nowMs);
    if (value === this.#value) return;
    this.#value = value;
    this.#place();
  }

  /** From now on, values are parts of this. */
  of(whole: number, nowMs: number): void {
    this.#settle(nowMs);
    this.#whole = whole;
    this.#place();
  }

  #settle(nowMs: number): void {
    const nanoseconds = (nowMs - this.#sinceMs) * nanosecondsPerMs;
    this.#sinceMs = nowMs;
    this.#buckets[this.#bucket]! += nanoseconds;
    this.#count += nanoseconds;
    this.#sum += this.#ratio * nanoseconds;
  }

  #place(): void {
    this.#ratio = this.#value / this.#whole;
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && this.#ratio > bounds[bucket]!) bucket++;
    this.#bucket = bucket;
  }

  read(nowMs: number): HistogramReading {
    this.#settle(nowMs);
    const buckets = this.#buckets.slice(0, -1).map(Math.round);
    return { buckets, sum: this.#sum, count: Math.round(this.#count) };
  }
}

/** What a value was like over a time. */
export interface TimedSummary {
  readonly average: number;
  readonly deviation: number;
  readonly highest: number;
}

/** The average of a value by how long it lasted, from one `take` to the next. */
export class TimedAverage {
  #value = 0;
  #highest = 0;
  #time = 0;
  #sum = 0;
  #squares = 0;
  #sinceMs: number;

  constructor(nowMs: number) {
    this.#sinceMs = nowMs;
  }

  set(value: number, nowMs: number): void {
    this.#settle(nowMs);
    this.#value = value;
    if (value > this.#highest) this.#highest = value;
  }

  #settle(nowMs: number): void {
    const time = nowMs - this.#sinceMs;
    this.#sinceMs = nowMs;
    this.#time += time;
    this.#sum += this.#value * time;
    this.#squares += this.#value * this.#value * time;
  }

  /** Ends one stretch of time and begins the next; undefined when no time has passed. */
  take(nowMs: number): TimedSummary | undefined {
    this.#settle(nowMs);
    if (this.#time === 0) return undefined;
    const average = this.#sum / this.#time;
    const deviation = Math.sqrt(Math.max(0, this.#squares / this.#time - average * average));
    const highest = this.#highest;
    this.#time = this.#sum = this.#squares = 0;
    this.#highest = this.#value;
    return { average, deviation, highest };
  }
}
