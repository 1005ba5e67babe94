import { Cancelled, Failure, type Value } from '../values/value.ts';

/** Computes a part of an expression. @throws Failure. */
export type Step = (frame: Frame) => Value;

/** How many turns of loops pass between two looks at the caller's signal. */
const turnsBetweenChecks = 100;

/** The state of one evaluation. */
export class Frame {
  readonly lookup: (name: string) => Value | undefined;
  /** Variables of loops, where the plan has put them. A failed accumulator is kept, for `&&` and `||` to absorb. */
  readonly slots: (Value | Failure | undefined)[] = [];
  cost = 0;
  readonly #costLimit: number;
  readonly #signal: AbortSignal | undefined;
  #turns = 0;

  constructor(lookup: (name: string) => Value | undefined, costLimit: number, signal: AbortSignal | undefined) {
    this.lookup = lookup;
    this.#costLimit = costLimit;
    this.#signal = signal;
  }

  /** @throws Cancelled when the evaluation has become too expensive. */
  charge(cost: number): void {
    this.cost += cost;
    if (this.cost > this.#costLimit) throw new Cancelled('operation cancelled: actual cost limit exceeded');
  }

  /** @throws Cancelled when the caller has given up. */
  turn(): void {
    if (this.#signal === undefined || ++this.#turns % turnsBetweenChecks !== 0) return;
    if (this.#signal.aborted) throw new Cancelled('operation interrupted');
  }
}

/** The failure that was caught, where an operator may absorb it; everything else is thrown again. */
export function absorbable(error: unknown): Failure {
  if (error instanceof Failure && !(error instanceof Cancelled)) return error;
  throw error;
}
