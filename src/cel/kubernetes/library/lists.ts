import { member } from '../../library/define.ts';
import type { Library, Overload } from '../../library/library.ts';
import { add } from '../../library/standard/arithmetic.ts';
import { compare } from '../../library/standard/comparison.ts';
import {
  boolType,
  bytesType,
  type CelType,
  doubleType,
  durationType,
  intType,
  listType,
  stringType,
  timestampType,
  typeParameter,
  uintType,
} from '../../types/types.ts';
import { equal } from '../../values/equality.ts';
import { Duration } from '../../values/time.ts';
import { Double, fail, type ListValue, Uint, type Value } from '../../values/value.ts';

/** https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-list-library */

function isSorted(list: ListValue): boolean {
  for (let index = 1; index < list.size; index++) {
    if (compare(list.at(index - 1), list.at(index)) === 1) return false;
  }
  return true;
}

const sum =
  (zero: Value) =>
  (list: ListValue): Value => {
    let total = zero;
    let isFirst = true;
    for (const item of list) {
      total = isFirst ? item : add(total, item);
      isFirst = false;
    }
    return total;
  };

const extreme =
  (name: string, wanted: 1 | -1) =>
  (list: ListValue): Value => {
    if (list.size === 0) return fail(`${name} called on empty list`);
    let best = list.at(0);
    for (const item of list) if (compare(item, best) === wanted) best = item;
    return best;
  };

function indexOf(list: ListValue, item: Value): number {
  for (let index = 0; index < list.size; index++) if (equal(list.at(index), item)) return index;
  return -1;
}

function lastIndexOf(list: ListValue, item: Value): number {
  for (let index = list.size - 1; index >= 0; index--) if (equal(list.at(index), item)) return index;
  return -1;
}

const summable: readonly (readonly [string, CelType, Value])[] = [
  ['int', intType, 0],
  ['uint', uintType, new Uint(0n)],
  ['double', doubleType, new Double(0)],
  ['duration', durationType, new Duration(0n)],
];

const comparable: readonly (readonly [string, CelType])[] = [
  ['int', intType],
  ['uint', uintType],
  ['double', doubleType],
  ['bool', boolType],
  ['duration', durationType],
  ['timestamp', timestampType],
  ['string', stringType],
  ['bytes', bytesType],
];

const max = extreme('max', 1);
const min = extreme('min', -1);
const a = typeParameter('A');

const overloads: readonly Overload[] = [
  ...summable.map(([name, type, zero]) => member('sum', `list_${name}_sum_${name}`, [listType(type)], type, sum(zero))),
  ...comparable.flatMap(([name, type]) => [
    member('isSorted', `list_${name}_is_sorted_bool`, [listType(type)], boolType, isSorted),
    member('max', `list_${name}_max_${name}`, [listType(type)], type, max),
    member('min', `list_${name}_min_${name}`, [listType(type)], type, min),
  ]),
  member('indexOf', 'list_a_index_of_int', [listType(a), a], intType, indexOf),
  member('lastIndexOf', 'list_a_last_index_of_int', [listType(a), a], intType, lastIndexOf),
];

export const kubernetesLists: Library = { name: 'kubernetes.lists', overloads };
