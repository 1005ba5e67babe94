import { Failure, type Value } from '../values/value.ts';
import type { Step } from './frame.ts';

/** A part that is ready to run. */
export interface Planned {
  readonly step: Step;
  /** The part's value, where it is the same in every evaluation. */
  readonly constant?: Value;
  /** cel-go's attributes: a selection from one of these costs one, from any other value two. */
  readonly isAttribute?: boolean;
}

/** Where the variables of loops are kept. */
export interface Local {
  readonly slot: number;
  /** Evaluated when it is first read (`cel.bind`). */
  readonly lazy?: Step;
}

export type Locals = ReadonlyMap<string, Local>;

/** Costs of cel-go that depend on nothing. */
export const costs = { attribute: 1, qualifier: 1, list: 10, map: 30, struct: 40 } as const;

export const constantStep = (value: Value): Planned => ({ step: () => value, constant: value });

/** The constant that `compute` gives; undefined where it fails, which evaluation then does in its place. */
export function tryConstant(compute: () => Value, failures?: string[]): Planned | undefined {
  try {
    return constantStep(compute());
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    failures?.push(error.message);
    return undefined;
  }
}
