import type { CallCost } from '../cost/calls.ts';
import { addRanges, exactly, multiplyRanges } from '../cost/range.ts';
import { sizeOf } from '../cost/sizes.ts';
import type { Macro } from '../syntax/macros.ts';
import {
  boolType,
  bytesType,
  type CelType,
  doubleType,
  durationType,
  dynType,
  intType,
  listType,
  stringType,
  timestampType,
  typeParameter,
  uintType,
} from '../types/types.ts';
import { ArrayList } from '../values/collections.ts';
import { equal } from '../values/equality.ts';
import { runtimeType } from '../values/runtime-type.ts';
import { fail, ListValue, type Value } from '../values/value.ts';
import { costing, global, member } from './define.ts';
import type { Library, Overload } from './library.ts';
import { bindVariable, foldList, simpleName } from './macros.ts';
import { compare } from './standard/comparison.ts';

/** cel-go's extended lists, version 3. */

function slice(list: ListValue, start: number, end: number): ListValue {
  const call = `cannot slice(${start}, ${end})`;
  if (start < 0 || end < 0) fail(`${call}, negative indexes not supported`);
  if (start > end) fail(`${call}, start index must be less than or equal to end index`);
  if (list.size < end) fail(`${call}, list is length ${list.size}`);
  return new ArrayList([...list].slice(start, end));
}

function flatten(list: ListValue, depth = 1): ListValue {
  if (depth < 0) fail('level must be non-negative');
  const items: Value[] = [];
  for (const item of list) {
    if (item instanceof ListValue && depth > 0) items.push(...flatten(item, depth - 1));
    else items.push(item);
  }
  return new ArrayList(items);
}

function distinct(list: ListValue): ListValue {
  const items: Value[] = [];
  for (const item of list) if (!items.some((own) => equal(own, item))) items.push(item);
  return new ArrayList(items);
}

function sortBy(list: ListValue, keys: ListValue): ListValue {
  const pairs = [...list].map((item, index) => ({ item, key: keys.at(index) }));
  const [first] = pairs;
  if (first !== undefined) {
    const { name } = runtimeType(first.key);
    if (pairs.some(({ key }) => runtimeType(key).name !== name)) fail('list elements must have the same type');
  }
  return new ArrayList(pairs.sort((a, b) => compare(a.key, b.key) ?? 0).map(({ item }) => item));
}

/** A range as long as this would fill memory before its cost is counted. */
const maxRange = 1_000_000;

function range(count: number): ListValue {
  if (count > maxRange) fail(`range of ${count} items is too long`);
  return new ArrayList(Array.from({ length: Math.max(0, count) }, (_, index) => index));
}

const sortByMacro: Macro = {
  name: 'sortBy',
  arity: 2,
  member: true,
  expand: (build, args, target) => {
    const input = '@__sortBy_input__';
    const variable = simpleName(build, args[0]!, 'argument is not an identifier');
    const keys = foldList(build, { range: build.identifier(input), variable }, args[1]!, undefined);
    const sorted = build.memberCall(build.identifier(input), '@sortByAssociatedKeys', keys);
    return bindVariable(build, input, target!, sorted);
  },
};

/** A new list of the size of its result. */
const makesList: CallCost = {
  cost: (_args, result) => 11 + sizeOf(result),
  estimate: ([list]) => ({
    cost: addRanges(exactly(11), { min: 0, max: list!.size.max }),
    resultSize: { min: 0, max: list!.size.max },
  }),
};

/** Every item may be compared with every other one. */
const comparesAll: CallCost = {
  cost: ([list]) => 11 + sizeOf(list!) ** 2,
  estimate: ([list]) => ({
    cost: addRanges(exactly(11), multiplyRanges(list!.size, list!.size)),
    resultSize: list!.size,
  }),
};

const comparable: readonly CelType[] = [
  intType,
  uintType,
  doubleType,
  boolType,
  durationType,
  timestampType,
  stringType,
  bytesType,
];

const t = typeParameter('T');
const list = listType(t);

const sorts: readonly Overload[] = comparable.flatMap((type) => [
  costing(
    member('sort', `list_${type.name}_sort`, [listType(type)], listType(type), (own: ListValue) => sortBy(own, own)),
    comparesAll,
  ),
  costing(
    member('@sortByAssociatedKeys', `list_${type.name}_sortByAssociatedKeys`, [list, listType(type)], list, sortBy),
    comparesAll,
  ),
]);

export const listsLibrary: Library = {
  name: 'cel.lib.ext.lists',
  macros: [sortByMacro],
  overloads: [
    costing(member('slice', 'list_slice', [list, intType, intType], list, slice), makesList),
    costing(member('flatten', 'list_flatten', [listType(list)], list, flatten), makesList),
    costing(member('flatten', 'list_flatten_int', [listType(dynType), intType], listType(dynType), flatten), makesList),
    costing(global('lists.range', 'lists_range', [intType], listType(intType), range), {
      cost: makesList.cost,
    }),
    costing(
      member('reverse', 'list_reverse', [list], list, (own: ListValue) => new ArrayList([...own].reverse())),
      makesList,
    ),
    costing(member('distinct', 'list_distinct', [list], list, distinct), comparesAll),
    ...sorts,
  ],
};
