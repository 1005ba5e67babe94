import type { Clock, Timer } from './clock.ts';

class Entry implements Timer {
  readonly at: number;
  readonly order: number;
  callback: (() => void) | undefined;

  constructor(at: number, order: number, callback: () => void) {
    this.at = at;
    this.order = order;
    this.callback = callback;
  }

  cancel(): void {
    this.callback = undefined;
  }
}

/**
 * A clock that moves only when told to. Between two timers it lets every pending promise settle, so that a run is
 * a pure function of the program and its seed: nothing depends on how fast the machine is.
 *
 * Code under a virtual clock must not wait for real I/O; such a wait is not seen as pending work.
 */
export class VirtualClock implements Clock {
  readonly #heap: Entry[] = [];
  #now: number;
  #order = 0;
  #settled = 0;

  /** @param startMs wall-clock start in milliseconds since the Unix epoch. */
  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  schedule(delayMs: number, callback: () => void): Timer {
    const entry = new Entry(this.#now + Math.max(0, delayMs), this.#order++, callback);
    this.#push(entry);
    return entry;
  }

  /** Lets pending promises settle, then runs every timer that is due within the next `durationMs`, in order. */
  async advance(durationMs: number): Promise<void> {
    await this.runUntil(() => false, { limitMs: durationMs });
    // runUntil stops at the last timer; the rest of the duration passes without any.
  }

  /**
   * Runs timers in order until `condition` holds or `limitMs` of virtual time has passed.
   * @returns whether the condition held.
   */
  async runUntil(condition: () => boolean, { limitMs }: { readonly limitMs: number }): Promise<boolean> {
    const deadline = this.#now + limitMs;
    for (;;) {
      await settle(this.#settled++);
      if (condition()) return true;
      const next = this.#next();
      if (next === undefined || next.at > deadline) {
        this.#now = deadline;
        return false;
      }
      this.#pop();
      this.#now = next.at;
      const callback = next.callback;
      next.callback = undefined;
      callback?.();
    }
  }

  #next(): Entry | undefined {
    while (this.#heap[0] !== undefined && this.#heap[0].callback === undefined) this.#pop();
    return this.#heap[0];
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!before(entry, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
  }
}

function before(left: Entry, right: Entry): boolean {
  return left.at < right.at || (left.at === right.at && left.order < right.order);
}

/** After so many timers the event loop gets a turn, so that real I/O of a test is not starved. */
const timersPerTurn = 64;

/**
 * The microtask queue is empty when it resolves: a tick that a microtask asks for comes after all of them. A turn of the
 * event loop would do as well, at four times the cost.
 */
function settle(count: number): Promise<void> {
  if (count % timersPerTurn === 0) return new Promise((resolve) => setImmediate(resolve));
  return new Promise((resolve) => queueMicrotask(() => process.nextTick(resolve)));
}
