import type { Expression } from '../syntax/ast.ts';
import type { Macro, MacroBuilder } from '../syntax/macros.ts';
import {
  boolType,
  dynType,
  intType,
  listType,
  mapType,
  optionalType,
  stringType,
  typeParameter,
} from '../types/types.ts';
import { ArrayList } from '../values/collections.ts';
import { Duration } from '../values/time.ts';
import {
  Double,
  fail,
  ListValue,
  MapValue,
  noSuchOverload,
  OptionalValue,
  StructValue,
  Uint,
  type Value,
} from '../values/value.ts';
import { global, member } from './define.ts';
import type { Library, Overload } from './library.ts';
import { bindVariable } from './macros.ts';
import { typeConstants } from './standard/index.ts';

/** Values that may be absent: `optional.of(x)`, `a.?b`, `a[?0]`, `x.orValue(y)`. */

const k = typeParameter('K');
const v = typeParameter('V');
const optionalV = optionalType(v);
const listV = listType(v);
const mapKV = mapType(k, v);

function isZero(value: Value): boolean {
  if (value === null || value === false || value === 0 || value === '') return true;
  if (value instanceof Uint8Array) return value.length === 0;
  if (value instanceof ListValue || value instanceof MapValue) return value.size === 0;
  if (value instanceof Double) return value.value === 0;
  if (value instanceof Uint) return value.value === 0n;
  if (value instanceof Duration) return value.nanos === 0n;
  if (value instanceof StructValue) return 'isZero' in value && value.isZero === true;
  return value instanceof OptionalValue && value.value === undefined;
}

const some = (value: Value): OptionalValue => new OptionalValue(value);
const unwrapValue = ({ value }: OptionalValue): Value =>
  value === undefined ? fail('optional.none() dereference') : value;

function unwrap(list: ListValue): ListValue {
  const items: Value[] = [];
  for (const item of list) {
    if (!(item instanceof OptionalValue)) return fail('value is not optional');
    if (item.value !== undefined) items.push(item.value);
  }
  return new ArrayList(items);
}

const functions: readonly Overload[] = [
  global('optional.of', 'optional_of', [v], optionalV, some),
  global('optional.ofNonZeroValue', 'optional_ofNonZeroValue', [v], optionalV, (value: Value) =>
    isZero(value) ? OptionalValue.none : some(value),
  ),
  global('optional.none', 'optional_none', [], optionalV, () => OptionalValue.none),
  global('optional.unwrap', 'optional_unwrap', [listType(optionalV)], listV, unwrap),
  member('unwrapOpt', 'optional_unwrapOpt', [listType(optionalV)], listV, unwrap),
  member('value', 'optional_value', [optionalV], v, unwrapValue),
  member('hasValue', 'optional_hasValue', [optionalV], boolType, ({ value }: OptionalValue) => value !== undefined),
  member('or', 'optional_or_optional', [optionalV, optionalV], optionalV, (a: OptionalValue, b: OptionalValue) =>
    a.value === undefined ? b : a,
  ),
  member('orValue', 'optional_orValue_value', [optionalV, v], v, ({ value }: OptionalValue, other: Value) =>
    value === undefined ? other : value,
  ),
  member('first', 'list_first', [listV], optionalV, (list: ListValue) =>
    list.size === 0 ? OptionalValue.none : some(list.at(0)),
  ),
  member('last', 'list_last', [listV], optionalV, (list: ListValue) =>
    list.size === 0 ? OptionalValue.none : some(list.at(list.size - 1)),
  ),
];

/** The planner evaluates these in its own way; the checker alone reads them. */
const planned: readonly Overload[] = [
  global('_?._', 'select_optional_field', [dynType, stringType], optionalV, noSuchOverload),
  global('_[?_]', 'list_optindex_optional_int', [listV, intType], optionalV, noSuchOverload),
  global('_[?_]', 'optional_list_optindex_optional_int', [optionalType(listV), intType], optionalV, noSuchOverload),
  global('_[?_]', 'map_optindex_optional_value', [mapKV, k], optionalV, noSuchOverload),
  global('_[?_]', 'optional_map_optindex_optional_value', [optionalType(mapKV), k], optionalV, noSuchOverload),
  global('_[_]', 'optional_list_index_int', [optionalType(listV), intType], optionalV, noSuchOverload),
  global('_[_]', 'optional_map_index_value', [optionalType(mapKV), k], optionalV, noSuchOverload),
];

const transform = (name: string, wrap: (build: MacroBuilder, mapped: Expression) => Expression): Macro => ({
  name,
  arity: 2,
  member: true,
  expand: (build, args, target) => {
    const [variable, mapped] = args as readonly [Expression, Expression];
    if (variable.kind !== 'identifier') {
      return build.refuse(`${name}() variable name must be a simple identifier`, variable);
    }
    const value = build.memberCall(build.copy(target!), 'value');
    return build.call(
      '_?_:_',
      build.memberCall(target!, 'hasValue'),
      wrap(build, bindVariable(build, variable.name, value, mapped)),
      build.call('optional.none'),
    );
  },
});

export const optionalsLibrary: Library = {
  name: 'cel.lib.optional',
  overloads: [...functions, ...planned],
  macros: [
    transform('optMap', (build, mapped) => build.call('optional.of', mapped)),
    transform('optFlatMap', (_build, mapped) => mapped),
  ],
  types: typeConstants(new Map([['optional_type', optionalType(dynType)]])),
};
