import type { Expression } from '../syntax/ast.ts';
import type { Macro } from '../syntax/macros.ts';
import type { TypeProvider } from '../types/provider.ts';
import type { CelType } from '../types/types.ts';
import type { Value } from '../values/value.ts';

/** Bounds that both hold; `max` of `unbounded` means that nothing is known. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** The largest unsigned 64-bit number, at which costs and sizes saturate. */
export const unbounded: number = 2 ** 64;

/** What cost estimation knows of an operand. */
export interface OperandEstimate {
  readonly type: CelType;
  readonly expression: Expression;
  /** The way from a variable to this value: `['self', 'spec', '@items']`. Empty: it is computed. */
  readonly path: readonly string[];
  /** Items of a list or map, code points of a string, bytes. */
  readonly size: Range;
  /** The items of a list; undefined when it is none. */
  readonly items?: (() => { readonly type: CelType; readonly size: Range } | undefined) | undefined;
}

export interface CallEstimate {
  readonly cost: Range;
  readonly resultSize?: Range | undefined;
}

/** One signature of a function and what it does. Operators are functions too (`_+_`). */
export interface Overload {
  readonly function: string;
  /** Unique, for example `add_int64`. */
  readonly id: string;
  /** With `member`, the first one is the receiver. */
  readonly parameters: readonly CelType[];
  readonly result: CelType;
  /** Called as `receiver.function(args)`. */
  readonly member?: boolean;
  /**
   * @throws Failure. Overloads of one function that share this very function are not told apart at run time: it looks
   * at its arguments itself.
   */
  readonly evaluate: (...args: readonly never[]) => Value;
  /** What a call has cost, beyond its operands. Undefined: as cel-go counts by default. */
  readonly cost?: (args: readonly Value[], result: Value) => number | undefined;
  /** What a call may cost, beyond its operands. Operands include the receiver. */
  readonly estimate?: (operands: readonly OperandEstimate[]) => CallEstimate | undefined;
}

/** Functions, macros and types that are brought into an environment together. */
export interface Library {
  readonly name: string;
  readonly overloads?: readonly Overload[];
  readonly macros?: readonly Macro[];
  readonly types?: TypeProvider;
}
