import type { JsonFields } from '../conform.ts';
import type { Json, JsonObject } from '../meta.ts';
import { isObject, ownField } from '../patch/merge-patch.ts';
import type { ListSchema, Schema } from '../schema.ts';
import { allFieldsOf } from './field-set.ts';
import { type FieldTree, isEmptyTree, noFields } from './field-tree.ts';
import { checkRecords, isLeaf, itemsByStep, memberSchema, repeatedItems } from './path-steps.ts';
import { sameValues } from './same-values.ts';

/** What differs between two objects. */
export interface Comparison {
  /** Paths that were added or have another value. */
  readonly changed: FieldTree;
  readonly removed: FieldTree;
}

/**
 * Compares two objects of one type. What is identical by reference is not looked into.
 * @param isTouched which atomic values of `after` count as changed, whatever they are
 */
export function compareObjects(
  before: JsonObject,
  after: JsonObject,
  schema: Schema,
  isTouched?: (atom: unknown) => boolean,
): Comparison {
  const change = { changed: {}, removed: {}, isTouched };
  if (before !== after) compareFields(before, after, schema, change);
  return change;
}

/** Nodes under construction for one place in the object. */
interface Change {
  readonly changed: JsonFields;
  readonly removed: JsonFields;
  readonly isTouched: ((atom: unknown) => boolean) | undefined;
}

function compareFields(before: JsonObject, after: JsonObject, schema: Schema, change: Change): void {
  for (const key in after) {
    const left = ownField(before, key);
    const right = after[key];
    if (left === right) continue;
    checkRecords(key, right);
    compareValues(`f:${key}`, left, right, memberSchema(schema, key).schema, change);
  }
  for (const key in before) {
    if (before[key] !== undefined && ownField(after, key) === undefined) {
      compareValues(`f:${key}`, before[key], undefined, memberSchema(schema, key).schema, change);
    }
  }
}

function compareValues(
  step: string,
  before: Json | undefined,
  after: Json | undefined,
  schema: Schema,
  change: Change,
): void {
  if (before === after) return;
  if (before === undefined) {
    change.changed[step] = allFieldsOf(after!, schema);
  } else if (after === undefined) {
    change.removed[step] = allFieldsOf(before, schema);
  } else if (isOne(before, after, schema)) {
    if (change.isTouched?.(after) === true || !sameValues(before, after)) change.changed[step] = noFields;
  } else {
    const inner: Change = { changed: {}, removed: {}, isTouched: change.isTouched };
    // Null beside a container has nothing in it, and is there all the same.
    const [left, right] = [before ?? emptyLike(after), after ?? emptyLike(before)];
    if (Array.isArray(left) && Array.isArray(right)) compareLists(left, right, schema as ListSchema, inner);
    else if (isObject(left) && isObject(right)) compareFields(left, right, schema, inner);
    else inner.changed['.'] = noFields;
    if (!isEmptyTree(inner.changed))
      change.changed[step] = Object.hasOwn(inner.changed, '.') ? noFields : inner.changed;
    if (!isEmptyTree(inner.removed)) change.removed[step] = inner.removed;
  }
}

const emptyLike = (value: Json): Json => (Array.isArray(value) ? [] : {});

/** Whether the two values are compared as one: leaves, and containers that are both empty. */
function isOne(before: Json, after: Json, schema: Schema): boolean {
  if (isLeaf(schema)) return true;
  if (typeof before !== 'object' || typeof after !== 'object') return true;
  if (Array.isArray(before ?? after) && schema.type !== 'list') return true;
  return isEmpty(before) && isEmpty(after);
}

function isEmpty(value: Json): boolean {
  if (value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && isEmptyTree(value as JsonObject);
}

function compareLists(before: readonly Json[], after: readonly Json[], schema: ListSchema, change: Change): void {
  // Most lists are as they were, which is seen sooner than which item is which.
  if (change.isTouched === undefined && sameValues(before, after)) return;
  const left = itemsByStep(schema, before);
  const right = itemsByStep(schema, after);
  const hasRepeated = left.size !== before.length || right.size !== after.length;
  const repeated = hasRepeated ? compareRepeated(before, after, schema, { left, right, change }) : noSteps;
  for (const [step, item] of right)
    if (!repeated.has(step)) compareValues(step, left.get(step), item, schema.items, change);
  for (const [step, item] of left) {
    if (!right.has(step) && !repeated.has(step)) compareValues(step, item, undefined, schema.items, change);
  }
}

const noSteps: ReadonlySet<string> = new Set();

/** Items that share a step, before or after, count as one that has no parts. @returns their steps */
function compareRepeated(
  before: readonly Json[],
  after: readonly Json[],
  schema: ListSchema,
  { left, right, change }: { left: ReadonlyMap<string, Json>; right: ReadonlyMap<string, Json>; change: Change },
): ReadonlySet<string> {
  const wereRepeated = repeatedItems(schema, before, left);
  const areRepeated = repeatedItems(schema, after, right);
  for (const [step, items] of areRepeated) {
    const old = wereRepeated.get(step);
    if (old !== undefined) {
      if (!sameValues(old as Json, items as Json)) change.changed[step] = noFields;
      continue;
    }
    if (left.has(step)) compareValues(step, left.get(step), undefined, schema.items, change);
    change.changed[step] = noFields;
  }
  for (const step of wereRepeated.keys()) {
    if (areRepeated.has(step)) continue;
    if (right.has(step)) compareValues(step, undefined, right.get(step), schema.items, change);
    change.removed[step] = noFields;
  }
  return new Set([...wereRepeated.keys(), ...areRepeated.keys()]);
}
