import type { Clock } from '#base/clock.ts';
import type { StreamEvent } from '../cache/watch-stream.ts';

/**
 * What a write to one watcher costs, about: many watchers of one resource are written to in rounds, so far apart that
 * writing leaves time for everything else.
 */
const roundMsPerWatcher = 0.05;
/** Fewer watchers than make a round of this length are written to at once. */
const minRoundMs = 2;
const maxRoundMs = 50;

/**
 * When the watchers of one resource are written to. Whoever has not been written to for a round's length is served at
 * once; in a storm of events all are served together, each with what has come since the last round.
 */
export class WatchRounds {
  readonly #clock: Clock;
  #round: Promise<void> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Undefined when a watcher may be written to at once, else resolves when it is its turn.
   * @param lastMs monotonic time of the last write to it
   */
  turn(watchers: number, lastMs: number): Promise<void> | undefined {
    const lengthMs = Math.min(maxRoundMs, watchers * roundMsPerWatcher);
    if (lengthMs < minRoundMs || this.#clock.monotonic() - lastMs >= lengthMs) return undefined;
    this.#round ??= new Promise((resolve) => {
      this.#clock.schedule(lengthMs, () => {
        this.#round = undefined;
        resolve();
      });
    });
    return this.#round;
  }
}

/** Events as they go out: each by itself, and all in one piece. */
export interface Batch {
  readonly frames: readonly Uint8Array[];
  readonly bytes: Uint8Array;
}

export function batchOf(frames: readonly Uint8Array[]): Batch {
  return { frames, bytes: frames.length === 1 ? frames[0]! : Buffer.concat(frames) };
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
  if (left.length !== right.length) return false;
  for (let index = left.length - 1; index >= 0; index--)
    if (left[index]!.value !== right[index]!.value || left[index]!.type !== right[index]!.type) return false;
  return true;
}
