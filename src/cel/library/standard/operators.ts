import { comparesTexts, joinsLists, joinsTexts, searchesList } from '../../cost/calls.ts';
import {
  boolType,
  bytesType,
  doubleType,
  durationType,
  dynType,
  intType,
  listType,
  mapType,
  stringType,
  timestampType,
  typeParameter,
  uintType,
} from '../../types/types.ts';
import { equal } from '../../values/equality.ts';
import { ListValue, MapValue, noSuchOverload, StructValue, type Value } from '../../values/value.ts';
import { costing, global } from '../define.ts';
import type { Overload } from '../library.ts';
import { add, divide, multiply, negate, remainder, subtract } from './arithmetic.ts';
import { comparisons } from './comparison.ts';

const a = typeParameter('A');
const b = typeParameter('B');
const listOfA = listType(a);
const mapOfAB = mapType(a, b);

/** Those that the planner evaluates in ways of its own; the checker alone reads them. */
const planned = noSuchOverload;

const logic: readonly Overload[] = [
  {
    ...global('_?_:_', 'conditional', [boolType, a, a], a, planned),
  },
  global('_&&_', 'logical_and', [boolType, boolType], boolType, planned),
  global('_||_', 'logical_or', [boolType, boolType], boolType, planned),
  global('@not_strictly_false', 'not_strictly_false', [boolType], boolType, planned),
  global('!_', 'logical_not', [boolType], boolType, (value: Value) =>
    typeof value === 'boolean' ? !value : noSuchOverload(),
  ),
  costing(
    global('_==_', 'equals', [a, a], boolType, (left: Value, right: Value) => equal(left, right)),
    comparesTexts,
  ),
  costing(
    global('_!=_', 'not_equals', [a, a], boolType, (left: Value, right: Value) => !equal(left, right)),
    comparesTexts,
  ),
];

const arithmetic: readonly Overload[] = [
  costing(global('_+_', 'add_bytes', [bytesType, bytesType], bytesType, add), joinsTexts),
  global('_+_', 'add_double', [doubleType, doubleType], doubleType, add),
  global('_+_', 'add_duration_duration', [durationType, durationType], durationType, add),
  global('_+_', 'add_duration_timestamp', [durationType, timestampType], timestampType, add),
  global('_+_', 'add_timestamp_duration', [timestampType, durationType], timestampType, add),
  global('_+_', 'add_int64', [intType, intType], intType, add),
  costing(global('_+_', 'add_list', [listOfA, listOfA], listOfA, add), joinsLists),
  costing(global('_+_', 'add_string', [stringType, stringType], stringType, add), joinsTexts),
  global('_+_', 'add_uint64', [uintType, uintType], uintType, add),
  global('_-_', 'subtract_double', [doubleType, doubleType], doubleType, subtract),
  global('_-_', 'subtract_duration_duration', [durationType, durationType], durationType, subtract),
  global('_-_', 'subtract_int64', [intType, intType], intType, subtract),
  global('_-_', 'subtract_timestamp_duration', [timestampType, durationType], timestampType, subtract),
  global('_-_', 'subtract_timestamp_timestamp', [timestampType, timestampType], durationType, subtract),
  global('_-_', 'subtract_uint64', [uintType, uintType], uintType, subtract),
  global('_*_', 'multiply_double', [doubleType, doubleType], doubleType, multiply),
  global('_*_', 'multiply_int64', [intType, intType], intType, multiply),
  global('_*_', 'multiply_uint64', [uintType, uintType], uintType, multiply),
  global('_/_', 'divide_double', [doubleType, doubleType], doubleType, divide),
  global('_/_', 'divide_int64', [intType, intType], intType, divide),
  global('_/_', 'divide_uint64', [uintType, uintType], uintType, divide),
  global('_%_', 'modulo_int64', [intType, intType], intType, remainder),
  global('_%_', 'modulo_uint64', [uintType, uintType], uintType, remainder),
  global('-_', 'negate_double', [doubleType], doubleType, negate),
  global('-_', 'negate_int64', [intType], intType, negate),
];

function isIn(item: Value, container: Value): boolean {
  if (container instanceof MapValue) return container.get(item) !== undefined;
  if (container instanceof StructValue && typeof item === 'string') return container.has(item) === true;
  if (!(container instanceof ListValue)) return noSuchOverload();
  for (const own of container) if (equal(own, item)) return true;
  return false;
}

const collections: readonly Overload[] = [
  costing(global('@in', 'in_list', [a, listOfA], boolType, isIn), searchesList),
  global('@in', 'in_map', [a, mapOfAB], boolType, isIn),
  global('_[_]', 'index_list', [listOfA, intType], a, planned),
  global('_[_]', 'index_map', [mapOfAB, a], b, planned),
  global('dyn', 'to_dyn', [a], dynType, (value: Value) => value),
];

export const operators: readonly Overload[] = [...logic, ...arithmetic, ...comparisons, ...collections];
