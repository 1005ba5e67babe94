import type { Clock } from '#base/clock.ts';
import type { HistogramReading } from '#base/metrics.ts';
import type { StreamEvent } from '../cache/watch-stream.ts';

/**
 * What a write to one watcher costs, about: many watchers of one resource are written to in rounds, so long that
 * writing leaves time for everything else.
 */
const roundMsPerWatcher = 0.07;
/** Fewer watchers than make a round of this length are written to at once. */
const minRoundMs = 2;
const maxRoundMs = 70;
/** A round is taken in steps of this length: watchers of one step share what is written, and others need not wait long. */
const stepMs = 2;
/** The golden ratio's fraction spreads any number of watchers evenly over a round, in whatever order they come. */
const spread = 0.618033988749895;

/**
 * When the watchers of one resource are written to. Whoever has not been written to for a round's length is served at
 * once; in a storm of events each is served once a round, at a moment of its own, with what has come since the last.
 */
export class WatchRounds {
  readonly #clock: Clock;
  /** By the moment when a step is taken. */
  readonly #steps = new Map<number, Promise<void>>();
  #joined = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Gives a watcher its moment in a round, from 0 to 1. */
  join(): number {
    return (this.#joined++ * spread) % 1;
  }

  /**
   * Undefined when a watcher may be written to at once, else resolves when it is its turn.
   * @param moment what `join` gave it
   * @param lastMs monotonic time of the last write to it
   */
  turn(watchers: number, moment: number, lastMs: number): Promise<void> | undefined {
    const steps = Math.floor(Math.min(maxRoundMs, watchers * roundMsPerWatcher) / stepMs);
    const lengthMs = steps * stepMs;
    const nowMs = this.#clock.monotonic();
    if (lengthMs < minRoundMs || nowMs - lastMs >= lengthMs) return undefined;
    const offsetMs = Math.floor(moment * steps) * stepMs;
    const dueMs = Math.ceil((nowMs - offsetMs) / lengthMs) * lengthMs + offsetMs;
    let step = this.#steps.get(dueMs);
    if (step === undefined) {
      step = this.#step(dueMs, dueMs - nowMs);
      this.#steps.set(dueMs, step);
    }
    return step;
  }

  #step(dueMs: number, delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.schedule(delayMs, () => {
        this.#steps.delete(dueMs);
        resolve();
      });
    });
  }
}

/** Events as they go out: each by itself, and all in one piece. */
export interface Batch {
  readonly frames: readonly Uint8Array[];
  readonly bytes: Uint8Array;
  /** For the metrics: the sizes of the frames, once somebody has asked. */
  sizes: HistogramReading | undefined;
}

export function batchOf(frames: readonly Uint8Array[]): Batch {
  return { frames, bytes: frames.length === 1 ? frames[0]! : Buffer.concat(frames), sizes: undefined };
}

/** The last batches that went out: in a round most watchers get the same. */
export class SharedBatches {
  readonly #last = new Map<string, { readonly events: readonly StreamEvent[]; readonly batch: Batch }>();

  /** @param form tells apart what the same events look like to different watchers */
  known(form: string, events: readonly StreamEvent[]): Batch | undefined {
    const last = this.#last.get(form);
    return last !== undefined && areSame(last.events, events) ? last.batch : undefined;
  }

  remember(form: string, events: readonly StreamEvent[], batch: Batch): void {
    this.#last.set(form, { events, batch });
  }
}

function areSame(left: readonly StreamEvent[], right: readonly StreamEvent[]): boolean {
  if (left === right) return true;
  if (left.length !== right.length) return false;
  for (let index = left.length - 1; index >= 0; index--)
    if (left[index]!.value !== right[index]!.value || left[index]!.type !== right[index]!.type) return false;
  return true;
}
