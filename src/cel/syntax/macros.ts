import type { Expression, MapEntry } from './ast.ts';

/** Makes parts of an expansion; each gets an id at the position of the call. */
export interface MacroBuilder {
  literal(value: boolean | number | string): Expression;
  identifier(name: string): Expression;
  select(operand: Expression, field: string, options?: { readonly testOnly?: boolean }): Expression;
  call(name: string, ...args: readonly Expression[]): Expression;
  memberCall(target: Expression, name: string, ...args: readonly Expression[]): Expression;
  list(...items: readonly Expression[]): Expression;
  map(...entries: readonly Omit<MapEntry, 'id' | 'optional'>[]): Expression;
  fold(parts: {
    readonly range: Expression;
    readonly variable: string;
    readonly variable2?: string;
    readonly accumulator?: string;
    readonly init: Expression;
    readonly condition: Expression;
    readonly step: Expression;
    readonly result: Expression;
  }): Expression;
  /** A copy with ids of its own, for a part that stands twice. */
  copy(expression: Expression): Expression;
  /** Refuses the call with an issue at `at`. */
  refuse(message: string, at: Expression): never;
}

/** A call that is replaced by other expressions when it is parsed. */
export interface Macro {
  readonly name: string;
  readonly arity: number;
  /** `target.name(args)` rather than `name(args)`. */
  readonly member: boolean;
  /** Undefined: it is an ordinary call after all. */
  readonly expand: (
    build: MacroBuilder,
    args: readonly Expression[],
    target: Expression | undefined,
  ) => Expression | undefined;
}
