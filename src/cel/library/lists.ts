import type { CallCost } from '../cost/calls.ts';
import { addRanges, exactly, multiplyRanges, scaleRange } from '../cost/range.ts';
import { sizeOf, traversal } from '../cost/sizes.ts';
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
import {
  type CallEstimate,
  type Library,
  type OperandEstimate,
  type Overload,
  type Range,
  unbounded,
} from './library.ts';
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

/** What a call costs that makes a list, and goes `factor` times through items of this number. */
const allocating = (factor: number, size: Range): CallEstimate => ({
  cost: addRanges(exactly(11), scaleRange(size, factor)),
  resultSize: size,
});
const allocated = (factor: number, size: number): number => 11 + Math.ceil(size * factor);

const literalCount = (operand: OperandEstimate | undefined, otherwise: number): number => {
  const expression = operand?.expression;
  const value = expression?.kind === 'literal' ? expression.value : undefined;
  return typeof value === 'number' ? Math.max(0, value) : otherwise;
};

const byResult: CallCost['cost'] = (_args, result) => allocated(1, sizeOf(result));

const slices: CallCost = {
  cost: byResult,
  estimate: ([list, start, end]) =>
    allocating(1, exactly(Math.max(0, literalCount(end, list!.size.max) - literalCount(start, 0)))),
};
const reverses: CallCost = { cost: byResult, estimate: ([list]) => allocating(1, list!.size) };
const ranges: CallCost = {
  cost: byResult,
  estimate: ([count]) => allocating(1, exactly(literalCount(count, unbounded))),
};
const flattens: CallCost = {
  cost: ([list, depth]) => allocated(typeof depth === 'number' ? depth : 1, sizeOf(list!)),
  estimate: ([list, depth]) => allocating(depth === undefined ? 1 : literalCount(depth, unbounded), list!.size),
};

/** Every item of `keys` is compared with every other one; texts cost more. */
const compares = (keys: (operands: readonly unknown[]) => number, isText: boolean): CallCost => ({
  cost: (args) => {
    const list = args[keys(args)]!;
    const first = list instanceof ListValue && list.size > 0 ? list.at(0) : undefined;
    const hasTexts = typeof first === 'string' || first instanceof Uint8Array;
    return allocated(hasTexts ? 2 + traversal : 2, sizeOf(list) ** 2);
  },
  estimate: (operands) => {
    const { size } = operands[keys(operands)]!;
    return allocating(isText ? 2 + traversal : 2, multiplyRanges(size, size));
  },
});
const itself = (): number => 0;
const others = (): number => 1;

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

const isText = ({ kind }: CelType): boolean => kind === 'string' || kind === 'bytes';

const sorts: readonly Overload[] = comparable.flatMap((type) => [
  costing(
    member('sort', `list_${type.name}_sort`, [listType(type)], listType(type), (own: ListValue) => sortBy(own, own)),
    compares(itself, isText(type)),
  ),
  costing(
    member('@sortByAssociatedKeys', `list_${type.name}_sortByAssociatedKeys`, [list, listType(type)], list, sortBy),
    compares(others, isText(type)),
  ),
]);

export const listsLibrary: Library = {
  name: 'cel.lib.ext.lists',
  macros: [sortByMacro],
  overloads: [
    costing(member('slice', 'list_slice', [list, intType, intType], list, slice), slices),
    costing(member('flatten', 'list_flatten', [listType(list)], list, flatten), flattens),
    costing(member('flatten', 'list_flatten_int', [listType(dynType), intType], listType(dynType), flatten), flattens),
    costing(global('lists.range', 'lists_range', [intType], listType(intType), range), ranges),
    costing(
      member('reverse', 'list_reverse', [list], list, (own: ListValue) => new ArrayList([...own].reverse())),
      reverses,
    ),
    costing(member('distinct', 'list_distinct', [list], list, distinct), compares(itself, false)),
    ...sorts,
  ],
};
