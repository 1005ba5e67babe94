import type { Value } from '../values/value.ts';

/** A parsed expression with its macros expanded. `id` is unique within a source and leads to a position. */
export type Expression =
  | Literal
  | Identifier
  | Select
  | Call
  | ListExpression
  | MapExpression
  | StructExpression
  | Comprehension;

export interface Literal {
  readonly kind: 'literal';
  readonly id: number;
  readonly value: Value;
}

export interface Identifier {
  readonly kind: 'identifier';
  readonly id: number;
  /** With a leading dot: looked for outside of every container. */
  readonly name: string;
}

export interface Select {
  readonly kind: 'select';
  readonly id: number;
  readonly operand: Expression;
  readonly field: string;
  /** `has(operand.field)`. */
  readonly testOnly: boolean;
}

/** A call; operators are functions such as `_+_`, `_[_]`, `!_`, `_?_:_`. */
export interface Call {
  readonly kind: 'call';
  readonly id: number;
  readonly function: string;
  readonly target: Expression | undefined;
  readonly args: readonly Expression[];
}

export interface ListExpression {
  readonly kind: 'list';
  readonly id: number;
  readonly items: readonly Expression[];
  /** Indexes of items written with `?`: left out where their optional is empty. */
  readonly optional: ReadonlySet<number>;
}

export interface MapExpression {
  readonly kind: 'map';
  readonly id: number;
  readonly entries: readonly MapEntry[];
}

export interface MapEntry {
  readonly id: number;
  readonly key: Expression;
  readonly value: Expression;
  readonly optional: boolean;
}

export interface StructExpression {
  readonly kind: 'struct';
  readonly id: number;
  readonly type: string;
  readonly fields: readonly StructField[];
}

export interface StructField {
  readonly id: number;
  readonly name: string;
  readonly value: Expression;
  readonly optional: boolean;
}

/**
 * Goes through `range`: starts with `accumulator = init`, and while `condition` holds sets `accumulator = step` for
 * each item; the value is `result`. With two variables they are index and item, or key and value.
 */
export interface Comprehension {
  readonly kind: 'comprehension';
  readonly id: number;
  readonly range: Expression;
  readonly variable: string;
  readonly variable2: string | undefined;
  readonly accumulator: string;
  readonly init: Expression;
  readonly condition: Expression;
  readonly step: Expression;
  readonly result: Expression;
}

/** The name that macros give their accumulator; no source can spell it. */
export const accumulatorName = '@result';
