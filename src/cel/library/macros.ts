import { accumulatorName, type Expression } from '../syntax/ast.ts';
import type { Macro, MacroBuilder } from '../syntax/macros.ts';

/** The macros that every environment has: `has`, and loops over one variable. */

export function simpleName(build: MacroBuilder, expression: Expression, complaint: string): string {
  if (expression.kind !== 'identifier' || expression.name.startsWith('.')) return build.refuse(complaint, expression);
  if (expression.name === accumulatorName || expression.name === '__result__') {
    return build.refuse('iteration variable overwrites accumulator variable', expression);
  }
  return expression.name;
}

const accumulated = (build: MacroBuilder): Expression => build.identifier(accumulatorName);

const has: Macro = {
  name: 'has',
  arity: 1,
  member: false,
  expand: (build, args) => {
    const field = args[0]!;
    return field.kind === 'select'
      ? build.select(field.operand, field.field, { testOnly: true })
      : build.refuse('invalid argument to has() macro', field);
  },
};

/** What a loop tests, and over which variables it goes. */
export interface Quantified {
  readonly range: Expression;
  readonly variable: string;
  readonly variable2?: string;
  readonly predicate: Expression;
}

export const foldAll = (build: MacroBuilder, { predicate, ...loop }: Quantified): Expression =>
  build.fold({
    ...loop,
    init: build.literal(true),
    condition: build.call('@not_strictly_false', accumulated(build)),
    step: build.call('_&&_', accumulated(build), predicate),
    result: accumulated(build),
  });

export const foldExists = (build: MacroBuilder, { predicate, ...loop }: Quantified): Expression =>
  build.fold({
    ...loop,
    init: build.literal(false),
    condition: build.call('@not_strictly_false', build.call('!_', accumulated(build))),
    step: build.call('_||_', accumulated(build), predicate),
    result: accumulated(build),
  });

export const foldExistsOne = (build: MacroBuilder, { predicate, ...loop }: Quantified): Expression =>
  build.fold({
    ...loop,
    init: build.literal(0),
    condition: build.literal(true),
    step: build.call('_?_:_', predicate, build.call('_+_', accumulated(build), build.literal(1)), accumulated(build)),
    result: build.call('_==_', accumulated(build), build.literal(1)),
  });

/** Collects `item` of each turn for which the filter holds. */
export function foldList(
  build: MacroBuilder,
  loop: Omit<Quantified, 'predicate'>,
  item: Expression,
  filter: Expression | undefined,
): Expression {
  const add = build.call('_+_', accumulated(build), build.list(item));
  return build.fold({
    ...loop,
    init: build.list(),
    condition: build.literal(true),
    step: filter === undefined ? add : build.call('_?_:_', filter, add, accumulated(build)),
    result: accumulated(build),
  });
}

const quantifier = (name: string, fold: (build: MacroBuilder, quantified: Quantified) => Expression): Macro => ({
  name,
  arity: 2,
  member: true,
  expand: (build, [variable, predicate], range) =>
    fold(build, {
      range: range!,
      variable: simpleName(build, variable!, 'argument must be a simple name'),
      predicate: predicate!,
    }),
});

const notAnIdentifier = 'argument is not an identifier';

const map = (arity: 2 | 3): Macro => ({
  name: 'map',
  arity,
  member: true,
  expand: (build, args, range) => {
    const variable = simpleName(build, args[0]!, notAnIdentifier);
    return foldList(build, { range: range!, variable }, args[arity - 1]!, arity === 3 ? args[1] : undefined);
  },
});

const filter: Macro = {
  name: 'filter',
  arity: 2,
  member: true,
  expand: (build, [item, predicate], range) => {
    const variable = simpleName(build, item!, notAnIdentifier);
    return foldList(build, { range: range!, variable }, item!, predicate);
  },
};

export const standardMacros: readonly Macro[] = [
  has,
  quantifier('all', foldAll),
  quantifier('exists', foldExists),
  quantifier('exists_one', foldExistsOne),
  quantifier('existsOne', foldExistsOne),
  map(2),
  map(3),
  filter,
];

/** The loop that `bindVariable` makes goes over nothing; this variable never gets a value. */
const unusedVariable = '#unused';

/** `variable` stands for `value` within `result`, and is evaluated at most once. */
export const bindVariable = (
  build: MacroBuilder,
  variable: string,
  value: Expression,
  result: Expression,
): Expression =>
  build.fold({
    range: build.list(),
    variable: unusedVariable,
    accumulator: variable,
    init: value,
    condition: build.literal(false),
    step: build.identifier(variable),
    result,
  });
