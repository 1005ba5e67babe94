import { type JsonFields, setOwn } from '../conform.ts';
import type { Json, JsonObject } from '../meta.ts';
import { isObject, ownField } from '../patch/merge-patch.ts';
import type { ListSchema, Schema } from '../schema.ts';
import { type FieldTree, isMember } from './field-tree.ts';
import { isLeaf, itemStep, itemsByStep, memberSchema } from './path-steps.ts';

/** The live object with everything that the applied configuration says. Neither is touched. */
export function mergeApplied(live: JsonObject, applied: JsonObject, schema: Schema): JsonObject {
  const result: JsonFields = { ...live };
  for (const key of Object.keys(applied)) {
    const value = applied[key];
    if (value === undefined) continue;
    setOwn(result, key, mergeValue(ownField(live, key), value, memberSchema(schema, key).schema));
  }
  return result;
}

function mergeValue(live: Json | undefined, applied: Json, schema: Schema): Json {
  if (live === undefined || live === null || isLeaf(schema)) return applied;
  // Null says nothing about what is in a map or a list.
  if (applied === null) return isEmpty(live, schema) ? null : live;
  if (isObject(live) && isObject(applied)) return mergeApplied(live, applied, schema);
  if (Array.isArray(live) && Array.isArray(applied) && schema.type === 'list') return mergeLists(live, applied, schema);
  return applied;
}

function isEmpty(live: Json, schema: Schema): boolean {
  if (Array.isArray(live)) return live.length === 0 || schema.type !== 'list';
  return !isObject(live) || Object.keys(live).length === 0;
}

/** Items of both lists: those of the configuration in its order, the others where they stood among them. */
function mergeLists(live: readonly Json[], applied: readonly Json[], schema: ListSchema): Json[] {
  const before = itemsByStep(schema, live);
  const after = itemsByStep(schema, applied);
  const liveSteps = live.map((item, index) => itemStep(schema, item, index));
  const appliedSteps = [...after.keys()];
  const shared = appliedSteps.filter((step) => before.has(step));
  const done = new Set<string>();
  const result: Json[] = [];
  const put = (step: string): void => {
    const item = before.get(step);
    result.push(item === undefined ? after.get(step)! : mergeValue(item, after.get(step)!, schema.items));
    done.add(step);
    if (shared[0] === step) shared.shift();
  };
  let [at, next] = [0, 0];
  while (at < live.length || next < appliedSteps.length) {
    const liveStep = liveSteps[at];
    const appliedStep = appliedSteps[next];
    if (liveStep !== undefined && !after.has(liveStep)) {
      result.push(live[at]!);
      at++;
    } else if (liveStep !== undefined && (done.has(liveStep) || (shared[0] !== undefined && shared[0] !== liveStep))) {
      at++;
    } else if (appliedStep !== undefined) {
      put(appliedStep);
      next++;
      if (liveStep === appliedStep) at++;
    } else {
      at++;
    }
  }
  return result;
}

/**
 * Takes the paths of a set out of an object. What is left of a map is a map, be it empty; a list of which nothing is left
 * is gone. Atomic values are not looked into.
 */
export function removeFields(value: JsonObject, fields: FieldTree, schema: Schema): JsonObject {
  const result: JsonFields = {};
  let isTouched = false;
  for (const key of Object.keys(value)) {
    const node = nodeAt(fields, `f:${key}`);
    const before = value[key]!;
    const after = node === undefined ? before : isMember(node) ? undefined : removed(before, node, schema, key);
    isTouched ||= after !== before;
    if (after !== undefined) setOwn(result, key, after);
  }
  return isTouched ? result : value;
}

function removed(value: Json, fields: FieldTree, holder: Schema, key: string): Json | undefined {
  const { schema } = memberSchema(holder, key);
  if (isLeaf(schema)) return value;
  if (isObject(value)) return removeFields(value, fields, schema);
  if (!Array.isArray(value) || schema.type !== 'list') return value;
  const kept = removeItems(value, fields, schema);
  return kept.length === 0 ? undefined : kept;
}

function removeItems(list: readonly Json[], fields: FieldTree, schema: ListSchema): Json[] {
  const kept: Json[] = [];
  list.forEach((item, index) => {
    const node = nodeAt(fields, itemStep(schema, item, index));
    if (node === undefined) kept.push(item);
    else if (!isMember(node)) kept.push(isObject(item) ? removeFields(item, node, schema.items) : item);
  });
  return kept;
}

function nodeAt(fields: FieldTree, step: string): FieldTree | undefined {
  return Object.hasOwn(fields, step) ? (fields[step] as FieldTree) : undefined;
}
