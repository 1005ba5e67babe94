import {
  boolType,
  type CelType,
  Double,
  doubleType,
  dynType,
  fail,
  intType,
  type Library,
  type ListValue,
  listType,
  type Overload,
  Uint,
  uintType,
  type Value,
} from '#cel/index.ts';
import { global } from '#cel/library/define.ts';
import { compare } from '#cel/library/standard/comparison.ts';
import type { Expression } from '#cel/syntax/ast.ts';
import type { Macro, MacroBuilder } from '#cel/syntax/macros.ts';
import { type Integer, isInteger, negateInteger, toInteger } from '#cel/values/integer.ts';
import { isNumber } from '#cel/values/numbers.ts';

/** cel-go's math, which Kubernetes does not have. */

const mostArguments = 10;

/** `math.least` and `math.greatest` take any number of arguments; more than two become a list. */
const extremes = (name: 'least' | 'greatest', call: string): readonly Macro[] =>
  Array.from({ length: mostArguments + 1 }, (_, arity) => ({
    name,
    arity,
    member: true,
    expand: (build: MacroBuilder, args: readonly Expression[], target: Expression | undefined) => {
      if (target?.kind !== 'identifier' || target.name !== 'math') return undefined;
      const [first] = args;
      if (first === undefined) return build.refuse(`math.${name}() requires at least one argument`, target);
      if (arity === 1) {
        if (first.kind === 'list' ? first.items.length > 0 && first.items.every(mayBeNumber) : mayBeNumber(first))
          return build.call(call, first);
        return build.refuse(`math.${name}() invalid single argument value`, first);
      }
      const wrong = args.find((arg) => !mayBeNumber(arg));
      if (wrong !== undefined) return build.refuse(`math.${name}() simple literal arguments must be numeric`, wrong);
      return arity === 2 ? build.call(call, ...args) : build.call(call, build.list(...args));
    },
  }));

function mayBeNumber(expression: Expression): boolean {
  if (expression.kind === 'literal') return isNumber(expression.value);
  return expression.kind !== 'list' && expression.kind !== 'map' && expression.kind !== 'struct';
}

const numeric: readonly (readonly [string, CelType])[] = [
  ['double', doubleType],
  ['int', intType],
  ['uint', uintType],
];

function extremeOverloads(name: string, loser: 1 | -1): readonly Overload[] {
  const pair = (a: Value, b: Value): Value => {
    if (!isNumber(a) || !isNumber(b)) return fail(`no such overload: math.@${name}`);
    return compare(a, b) === loser ? b : a;
  };
  const list = (items: ListValue): Value => {
    if (items.size === 0) return fail(`math.@${name}(list) argument must not be empty`);
    let best = items.at(0);
    for (const item of items) best = pair(best, item);
    return best;
  };
  const call = `math.@${name}`;
  return [
    ...numeric.map(([id, type]) => global(call, `math_@${name}_${id}`, [type], type, (value: Value) => value)),
    ...numeric.flatMap(([left, a]) =>
      numeric.map(([right, b]) =>
        global(call, `math_@${name}_${left}_${right}`, [a, b], left === right ? a : dynType, pair),
      ),
    ),
    ...numeric.map(([id, type]) => global(call, `math_@${name}_list_${id}`, [listType(type)], type, list)),
  ];
}

const ofDouble = (name: string, compute: (value: number) => number): Overload =>
  global(
    `math.${name}`,
    `math_${name}_double`,
    [doubleType],
    doubleType,
    ({ value }: Double) => new Double(compute(value)),
  );
const testsDouble = (name: string, test: (value: number) => boolean): Overload =>
  global(`math.${name}`, `math_${name}_double`, [doubleType], boolType, ({ value }: Double) => test(value));

/** Go rounds halves away from zero. */
const round = (value: number): number => Math.sign(value) * Math.round(Math.abs(value));

function bitwise(name: string, compute: (a: bigint, b: bigint) => bigint): readonly Overload[] {
  return [
    global(`math.${name}`, `math_${name}_int_int`, [intType, intType], intType, (a: Integer, b: Integer) =>
      toInteger(BigInt.asIntN(64, compute(BigInt(a), BigInt(b)))),
    ),
    global(
      `math.${name}`,
      `math_${name}_uint_uint`,
      [uintType, uintType],
      uintType,
      (a: Uint, b: Uint) => new Uint(BigInt.asUintN(64, compute(a.value, b.value))),
    ),
  ];
}

function shift(name: string, compute: (value: bigint, bits: bigint) => bigint): readonly Overload[] {
  const shifted = (value: bigint, bits: Integer): bigint =>
    bits < 0 ? fail(`math.${name}() negative offset: ${bits}`) : bits > 63 ? 0n : compute(value, BigInt(bits));
  return [
    global(`math.${name}`, `math_${name}_int_int`, [intType, intType], intType, (value: Integer, bits: Integer) =>
      toInteger(BigInt.asIntN(64, shifted(BigInt.asUintN(64, BigInt(value)), bits))),
    ),
    global(
      `math.${name}`,
      `math_${name}_uint_int`,
      [uintType, intType],
      uintType,
      ({ value }: Uint, bits: Integer) => new Uint(BigInt.asUintN(64, shifted(value, bits))),
    ),
  ];
}

function sign(value: Value): Value {
  if (value instanceof Double) return new Double(Math.sign(value.value));
  if (value instanceof Uint) return new Uint(value.value === 0n ? 0n : 1n);
  return isInteger(value) ? (value > 0 ? 1 : value < 0 ? -1 : 0) : fail('no such overload: math.sign');
}

export const mathLibrary: Library = {
  name: 'cel.lib.ext.math',
  macros: [...extremes('least', 'math.@min'), ...extremes('greatest', 'math.@max')],
  overloads: [
    ...extremeOverloads('min', 1),
    ...extremeOverloads('max', -1),
    ofDouble('ceil', Math.ceil),
    ofDouble('floor', Math.floor),
    ofDouble('round', round),
    ofDouble('trunc', Math.trunc),
    ofDouble('abs', Math.abs),
    global('math.abs', 'math_abs_int', [intType], intType, (value: Integer) =>
      value < 0 ? negateInteger(value) : value,
    ),
    global('math.abs', 'math_abs_uint', [uintType], uintType, (value: Uint) => value),
    ...numeric.map(([id, type]) => global('math.sign', `math_sign_${id}`, [type], type, sign)),
    testsDouble('isInf', (value) => value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY),
    testsDouble('isNaN', Number.isNaN),
    testsDouble('isFinite', Number.isFinite),
    ...bitwise('bitAnd', (a, b) => a & b),
    ...bitwise('bitOr', (a, b) => a | b),
    ...bitwise('bitXor', (a, b) => a ^ b),
    global('math.bitNot', 'math_bitNot_int_int', [intType], intType, (value: Integer) => toInteger(~BigInt(value))),
    global(
      'math.bitNot',
      'math_bitNot_uint_uint',
      [uintType],
      uintType,
      ({ value }: Uint) => new Uint(BigInt.asUintN(64, ~value)),
    ),
    ...shift('bitShiftLeft', (value, bits) => value << bits),
    ...shift('bitShiftRight', (value, bits) => value >> bits),
    ...numeric.map(([id, type]) =>
      global(
        'math.sqrt',
        `math_sqrt_${id}`,
        [type],
        doubleType,
        (value: Value) =>
          new Double(Math.sqrt(Number(value instanceof Double || value instanceof Uint ? value.value : value))),
      ),
    ),
  ],
};
