import type { CelEnvironment } from './environment.ts';
import type { Issue } from './issues.ts';
import type { CelType } from './types/types.ts';
import type { Value } from './values/value.ts';

/** Variables by name. A lookup that gives undefined means that the variable has no value. */
export type Bindings = Readonly<Record<string, Value>> | ((name: string) => Value | undefined);

export interface EvaluateOptions {
  /** The evaluation fails once it has cost more than this. */
  readonly costLimit?: number;
  readonly signal?: AbortSignal;
}

/** What came of an evaluation. `cost` is what it actually cost, in cel-go's units, failed or not. */
export type Evaluation =
  | { readonly value: Value; readonly cost: number }
  | { readonly error: string; readonly cancelled: boolean; readonly cost: number };

/** An expression that has been checked and can be evaluated any number of times. */
export interface Program {
  readonly source: string;
  readonly type: CelType;
  evaluate(bindings: Bindings, options?: EvaluateOptions): Evaluation;
}

export type Compilation =
  | { readonly program: Program }
  | {
      readonly issues: readonly Issue[];
      /** All issues as cel-go prints them. */
      readonly message: string;
    };

/** Parses and checks an expression. */
export function compile(_source: string, _environment: CelEnvironment): Compilation {
  throw new Error('the checker is being built');
}
