import { withSignal } from '#base/tasks.ts';

/** Lets at most `limit` through at once; the others wait in order. */
export class Semaphore {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.#free = limit;
  }

  /** Resolves with the function that gives the place back. */
  async acquire(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else {
      let enter = (): void => {};
      const turn = new Promise<void>((resolve) => {
        enter = resolve;
        this.#waiting.push(resolve);
      });
      try {
        await withSignal(turn, signal);
      } catch (error) {
        const index = this.#waiting.indexOf(enter);
        if (index >= 0) this.#waiting.splice(index, 1);
        // The place had been handed over already: pass it on.
        else this.#release();
        throw error;
      }
    }
    let isHeld = true;
    return () => {
      if (isHeld) this.#release();
      isHeld = false;
    };
  }

  #release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
