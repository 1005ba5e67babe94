import { type JsonFields, setOwn } from '../conform.ts';
import { equalValues } from '../equality.ts';
import type { Json, JsonObject } from '../meta.ts';
import type { Schema } from '../schema.ts';
import { distinct, requiredKey, sortedBy } from './lists.ts';
import { isObject, ownField } from './merge-patch.ts';
import { type FieldStrategy, mergeObjects, strategyOf } from './strategic-patch.ts';

/** Which part of a difference is wanted. */
type Part = 'all' | 'deletions' | 'changes';

/** The strategic merge patch that turns `original` into `modified`. Throws PatchFormatError. */
export function createStrategicPatch(original: JsonObject, modified: JsonObject, schema: Schema): JsonObject {
  return diffObjects(original, modified, schema, { part: 'all', retainKeys: false });
}

/**
 * The patch by which `kubectl apply` changes a built-in kind: deletes what the last manifest (`original`) had and
 * this one (`modified`) has not, and sets what differs between the manifest and the live object (`current`).
 */
export function createThreeWayStrategicPatch(
  original: JsonObject,
  modified: JsonObject,
  current: JsonObject,
  schema: Schema,
): JsonObject {
  const changes = diffObjects(current, modified, schema, { part: 'changes', retainKeys: false });
  const deletions = diffObjects(original, modified, schema, { part: 'deletions', retainKeys: false });
  return mergeObjects(deletions, changes, schema, { carryOut: false });
}

interface DiffOptions {
  readonly part: Part;
  /** The patch names all fields that stay. */
  readonly retainKeys: boolean;
}

function diffObjects(
  original: JsonObject,
  modified: JsonObject,
  schema: Schema | undefined,
  options: DiffOptions,
): JsonObject {
  const patch: JsonFields = {};
  for (const [key, after] of Object.entries(modified)) {
    if (after === undefined) continue;
    const before = ownField(original, key);
    if (isObject(before) && isObject(after)) {
      diffField(patch, key, before, after, strategyOf(schema, key), options.part);
    } else if (Array.isArray(before) && Array.isArray(after)) {
      diffListField(patch, key, before, after, strategyOf(schema, key), options.part);
    } else if (options.part !== 'deletions' && (before === undefined || !equalValues(before, after))) {
      setOwn(patch, key, after);
    }
  }
  if (options.part !== 'changes') {
    for (const key of Object.keys(original)) {
      if (ownField(modified, key) === undefined) setOwn(patch, key, null);
    }
  }
  if (options.retainKeys && (Object.keys(patch).length > 0 || hasFieldsBeyond(original, modified))) {
    patch['$retainKeys'] = Object.keys(modified)
      .filter((key) => modified[key] !== null && modified[key] !== undefined)
      .sort();
  }
  return patch;
}

function hasFieldsBeyond(original: JsonObject, modified: JsonObject): boolean {
  return Object.keys(original).some((key) => original[key] !== null && ownField(modified, key) === undefined);
}

function diffField(
  patch: JsonFields,
  key: string,
  before: JsonObject,
  after: JsonObject,
  strategy: FieldStrategy,
  part: Part,
): void {
  if (strategy.replace) {
    if (part !== 'deletions') setOwn(patch, key, after);
    return;
  }
  const inner = diffObjects(before, after, strategy.schema, { part, retainKeys: strategy.retainKeys });
  if (Object.keys(inner).length > 0) setOwn(patch, key, inner);
}

function diffListField(
  patch: JsonFields,
  key: string,
  before: readonly Json[],
  after: readonly Json[],
  strategy: FieldStrategy,
  part: Part,
): void {
  if (!strategy.merge) {
    if (part !== 'deletions' && !equalValues(before, after)) setOwn(patch, key, after);
    return;
  }
  const { items, deletions, order } = diffLists(before, after, strategy, part);
  if (items.length > 0) setOwn(patch, key, items);
  if (deletions.length > 0) setOwn(patch, `$deleteFromPrimitiveList/${key}`, deletions);
  if (order.length > 0) setOwn(patch, `$setElementOrder/${key}`, order);
}

interface ListDifference {
  readonly items: readonly Json[];
  /** Scalars to take out. */
  readonly deletions: readonly Json[];
  readonly order: readonly Json[];
}

function diffLists(
  before: readonly Json[],
  after: readonly Json[],
  strategy: FieldStrategy,
  part: Part,
): ListDifference {
  if (before.length === 0) return { items: part === 'deletions' ? [] : after, deletions: [], order: [] };
  return isObject(before[0]) ? diffObjectLists(before, after, strategy, part) : diffScalarLists(before, after, part);
}

function diffScalarLists(before: readonly Json[], after: readonly Json[], part: Part): ListDifference {
  const left = [...after];
  const gone: Json[] = [];
  for (const item of before) {
    const at = left.indexOf(item);
    if (at < 0) gone.push(item);
    else left.splice(at, 1);
  }
  const items = part === 'deletions' ? [] : sortedBy(left, after, undefined);
  const deletions = part === 'changes' ? [] : distinct(gone).sort(byText);
  const isReordered = part !== 'deletions' && !equalValues(before, after);
  return { items, deletions, order: deletions.length > 0 || isReordered ? after : [] };
}

function byText(left: Json, right: Json): number {
  const [first, second] = [String(left), String(right)];
  return first < second ? -1 : first > second ? 1 : 0;
}

function diffObjectLists(
  before: readonly Json[],
  after: readonly Json[],
  strategy: FieldStrategy,
  part: Part,
): ListDifference {
  const mergeKey = strategy.mergeKey ?? '';
  const itemSchema = strategy.schema?.type === 'list' ? strategy.schema.items : undefined;
  const old = new Map(before.map((item) => [requiredKey(item, mergeKey), item as JsonObject]));
  const keys = after.map((item) => requiredKey(item, mergeKey));
  const items: Json[] = [];
  after.forEach((item, index) => {
    const key = keys[index]!;
    const counterpart = old.get(key);
    if (counterpart === undefined) {
      if (part !== 'deletions') items.push(item);
      return;
    }
    const options = { part, retainKeys: strategy.retainKeys };
    const inner = diffObjects(counterpart, item as JsonObject, itemSchema, options);
    if (Object.keys(inner).length > 0) items.push({ ...inner, [mergeKey]: key });
  });
  if (part !== 'changes') {
    const kept = new Set(keys);
    const gone = [...old.keys()].filter((key) => !kept.has(key)).sort(byText);
    for (const key of gone) items.push({ $patch: 'delete', [mergeKey]: key });
  }
  const isSameOrder =
    before.length === after.length && before.every((item, at) => requiredKey(item, mergeKey) === keys[at]);
  const needsOrder = items.length > 0 || (part !== 'deletions' && !isSameOrder);
  return { items, deletions: [], order: needsOrder ? keys.map((key) => ({ [mergeKey]: key })) : [] };
}
