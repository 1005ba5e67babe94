import { accumulatorName, type Expression } from '../syntax/ast.ts';
import type { Macro, MacroBuilder } from '../syntax/macros.ts';
import { mapType, typeParameter } from '../types/types.ts';
import { MutableMap } from '../values/mutable.ts';
import { fail, type MapValue, type Value } from '../values/value.ts';
import type { Library } from './library.ts';
import { foldAll, foldExists, foldExistsOne, foldList, type Quantified, simpleName } from './macros.ts';

/** cel-go's TwoVarComprehensions: loops over index and item, or key and value. */

interface Loop extends Omit<Quantified, 'predicate'> {
  readonly variable2: string;
}

function loopOf(build: MacroBuilder, args: readonly Expression[], range: Expression | undefined): Loop {
  const variable = simpleName(build, args[0]!, 'argument must be a simple name');
  const variable2 = simpleName(build, args[1]!, 'argument must be a simple name');
  if (variable === variable2) build.refuse(`duplicate variable name: ${variable}`, args[1]!);
  return { range: range!, variable, variable2 };
}

const quantifier = (name: string, fold: (build: MacroBuilder, quantified: Quantified) => Expression): Macro => ({
  name,
  arity: 3,
  member: true,
  expand: (build, args, range) => fold(build, { ...loopOf(build, args, range), predicate: args[2]! }),
});

const transformList = (arity: 3 | 4): Macro => ({
  name: 'transformList',
  arity,
  member: true,
  expand: (build, args, range) =>
    foldList(build, loopOf(build, args, range), args[arity - 1]!, arity === 4 ? args[2] : undefined),
});

/** Both transformations to maps: `insert` names what is added in each turn. */
const transformMap = (
  name: string,
  arity: 3 | 4,
  insert: (build: MacroBuilder, loop: Loop, transformed: Expression) => readonly Expression[],
): Macro => ({
  name,
  arity,
  member: true,
  expand: (build, args, range) => {
    const loop = loopOf(build, args, range);
    const accumulated = (): Expression => build.identifier(accumulatorName);
    const step = build.call('cel.@mapInsert', accumulated(), ...insert(build, loop, args[arity - 1]!));
    return build.fold({
      ...loop,
      init: build.map(),
      condition: build.literal(true),
      step: arity === 3 ? step : build.call('_?_:_', args[2]!, step, accumulated()),
      result: accumulated(),
    });
  },
});

const byKey = (build: MacroBuilder, { variable }: Loop, transformed: Expression): readonly Expression[] => [
  build.identifier(variable),
  transformed,
];
const byEntry = (_build: MacroBuilder, _loop: Loop, transformed: Expression): readonly Expression[] => [transformed];

const key = typeParameter('K');
const value = typeParameter('V');
const map = mapType(key, value);

function insertEntry(into: MapValue, entryKey: Value, entryValue: Value): Value {
  if (into.get(entryKey) !== undefined) return fail(`insert failed: key ${String(entryKey)} already exists`);
  return MutableMap.of(into).insert(entryKey, entryValue);
}

function insertEntries(into: MapValue, entries: MapValue): Value {
  let result: Value = into;
  for (const entryKey of entries.keys()) result = insertEntry(result as MapValue, entryKey, entries.get(entryKey)!);
  return result;
}

export const twoVariableComprehensions: Library = {
  name: 'cel.lib.ext.comprev2',
  macros: [
    quantifier('all', foldAll),
    quantifier('exists', foldExists),
    quantifier('existsOne', foldExistsOne),
    quantifier('exists_one', foldExistsOne),
    transformList(3),
    transformList(4),
    transformMap('transformMap', 3, byKey),
    transformMap('transformMap', 4, byKey),
    transformMap('transformMapEntry', 3, byEntry),
    transformMap('transformMapEntry', 4, byEntry),
  ],
  overloads: [
    {
      function: 'cel.@mapInsert',
      id: '@mapInsert_map_key_value',
      parameters: [map, key, value],
      result: map,
      evaluate: insertEntry,
    },
    {
      function: 'cel.@mapInsert',
      id: '@mapInsert_map_map',
      parameters: [map, map],
      result: map,
      evaluate: insertEntries,
    },
  ],
};
