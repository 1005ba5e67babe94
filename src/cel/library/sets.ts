import type { CallCost } from '../cost/calls.ts';
import { addRanges, exactly, multiplyRanges, scaleRange } from '../cost/range.ts';
import { sizeOf } from '../cost/sizes.ts';
import { boolType, listType, typeParameter } from '../types/types.ts';
import { equal } from '../values/equality.ts';
import type { ListValue, Value } from '../values/value.ts';
import { costing, global } from './define.ts';
import type { Library } from './library.ts';

/** cel-go's sets: lists seen as sets. */

function has(list: ListValue, item: Value): boolean {
  for (const own of list) if (equal(own, item)) return true;
  return false;
}

const contains = (list: ListValue, part: ListValue): boolean => [...part].every((item) => has(list, item));
const intersects = (a: ListValue, b: ListValue): boolean => [...a].some((item) => has(b, item));
const equivalent = (a: ListValue, b: ListValue): boolean => contains(a, b) && contains(b, a);

/** Every item is compared with every other one, `times` over. */
const crosses = (times: number): CallCost => ({
  cost: ([a, b]) => 1 + sizeOf(a!) * sizeOf(b!) * times,
  estimate: ([a, b]) => ({ cost: addRanges(exactly(1), scaleRange(multiplyRanges(a!.size, b!.size), times)) }),
});

const list = listType(typeParameter('T'));

export const setsLibrary: Library = {
  name: 'cel.lib.ext.sets',
  overloads: [
    costing(global('sets.contains', 'list_sets_contains_list', [list, list], boolType, contains), crosses(1)),
    costing(global('sets.equivalent', 'list_sets_equivalent_list', [list, list], boolType, equivalent), crosses(2)),
    costing(global('sets.intersects', 'list_sets_intersects_list', [list, list], boolType, intersects), crosses(1)),
  ],
};
