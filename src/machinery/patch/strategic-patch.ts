import { type JsonFields, setOwn } from '../conform.ts';
import { equalValues } from '../equality.ts';
import { goText, goType } from '../go-text.ts';
import type { Json, JsonObject } from '../meta.ts';
import type { Schema } from '../schema.ts';
import { badType, checkTypes, distinct, findByKey, itemKey, ordered, PatchFormatError, requiredKey } from './lists.ts';
import { isObject, ownField } from './merge-patch.ts';

export { PatchFormatError } from './lists.ts';

const directive = '$patch';
const retainKeys = '$retainKeys';
const orderPrefix = '$setElementOrder';
const deletePrefix = '$deleteFromPrimitiveList';

/** How a field merges. */
export interface FieldStrategy {
  /** Of the field's value. */
  readonly schema: Schema | undefined;
  readonly replace: boolean;
  readonly merge: boolean;
  readonly retainKeys: boolean;
  readonly mergeKey: string | undefined;
}

/** @throws PatchFormatError where values of a map were to be merged: nobody says how. */
function checkMergeable(schema: Schema | undefined, before: Json | undefined, value: Json): void {
  if (schema?.type !== 'map' || typeof before !== 'object' || before === null || typeof value !== 'object') return;
  if (Array.isArray(before) === Array.isArray(value))
    throw new PatchFormatError('merging an object in json but data type is not struct, instead is: map');
}

export function strategyOf(schema: Schema | undefined, key: string): FieldStrategy {
  if (schema?.type === 'object') {
    const field = schema.fields.get(key);
    if (field !== undefined) {
      return {
        schema: field.schema,
        replace: field.patchStrategies.includes('replace'),
        merge: field.patchStrategies.includes('merge'),
        retainKeys: field.patchStrategies.includes('retainKeys'),
        mergeKey: field.patchMergeKey,
      };
    }
  }
  const values = schema?.type === 'map' ? schema.values : undefined;
  return { schema: values, replace: false, merge: false, retainKeys: false, mergeKey: undefined };
}

export interface MergeOptions {
  /** Parallel lists of deletions and orders are carried out; otherwise they are kept, to be part of a patch again. */
  readonly carryOut: boolean;
}

/**
 * Applies a strategic merge patch. Lists merge by the keys that `schema` names; `$patch`, `$retainKeys`,
 * `$setElementOrder/…` and `$deleteFromPrimitiveList/…` are obeyed. The original is not touched. Throws
 * PatchFormatError.
 */
export function applyStrategicPatch(original: JsonObject, patch: JsonObject, schema: Schema): JsonObject {
  return mergeObjects(original, patch, schema, { carryOut: true });
}

export function mergeObjects(
  original: JsonObject,
  patch: JsonObject,
  schema: Schema | undefined,
  options: MergeOptions,
): JsonObject {
  const command = ownField(patch, directive);
  if (command === 'replace') {
    const { [directive]: _, ...rest } = patch;
    return rest;
  }
  if (command === 'delete') return {};
  if (command !== undefined) throw unknownCommand(command, patch);
  const result: JsonFields = { ...original };
  retain(result, patch, options);
  const done = mergeOrderedLists(result, patch, schema, options);
  for (const [key, value] of Object.entries(patch)) {
    if (key === retainKeys || key.startsWith(`${orderPrefix}/`) || done.has(key) || value === undefined) continue;
    if (key.startsWith(`${deletePrefix}/`)) {
      if (options.carryOut) deleteScalars(result, key.slice(deletePrefix.length + 1), value);
      else setOwn(result, key, value);
    } else if (key.startsWith(deletePrefix) && options.carryOut) {
      throw new PatchFormatError('invalid patch format of primitive list', 'client');
    } else {
      if (value !== null && options.carryOut) checkMergeable(schema, ownField(result, key), value);
      mergeField(result, key, value, strategyOf(schema, key), options);
    }
  }
  return result;
}

function mergeField(
  result: JsonFields,
  key: string,
  value: Json,
  strategy: FieldStrategy,
  options: MergeOptions,
): void {
  if (value === null) {
    if (options.carryOut) delete result[key];
    else setOwn(result, key, null);
    return;
  }
  const before = ownField(result, key);
  if (isObject(before) && isObject(value)) {
    setOwn(result, key, strategy.replace ? value : mergeObjects(before, value, strategy.schema, options));
  } else if (Array.isArray(before) && Array.isArray(value)) {
    setOwn(result, key, strategy.merge ? mergeLists(before, value, strategy, options) : value);
  } else {
    const kept = withoutDirectives(value, options);
    if (kept === undefined) delete result[key];
    else setOwn(result, key, kept);
  }
}

/** A value that comes new into the object takes no directives along. Undefined: it was only there to delete. */
function withoutDirectives(value: Json, options: MergeOptions): Json | undefined {
  if (Array.isArray(value)) {
    return value.map((item) => withoutDirectives(item, options)).filter((item) => item !== undefined);
  }
  if (!isObject(value)) return value;
  if (Object.hasOwn(value, directive)) return undefined;
  const result: JsonFields = {};
  for (const [key, inner] of Object.entries(value)) {
    if (inner === undefined || (options.carryOut && (inner === null || isDirective(key)))) continue;
    const kept = withoutDirectives(inner, options);
    if (kept !== undefined) setOwn(result, key, kept);
  }
  return result;
}

function isDirective(key: string): boolean {
  return key === retainKeys || key.startsWith(`${orderPrefix}/`) || key.startsWith(`${deletePrefix}/`);
}

function retain(result: JsonFields, patch: JsonObject, options: MergeOptions): void {
  const keys = ownField(patch, retainKeys);
  if (keys === undefined) return;
  if (!options.carryOut) {
    const before = ownField(result, retainKeys);
    if (before !== undefined && !equalValues(before, keys)) {
      throw new PatchFormatError(
        `${String(before)} and ${String(keys)} are not deep equal: this may happen when calculating the 3-way diff patch`,
      );
    }
    result[retainKeys] = keys;
    return;
  }
  if (!Array.isArray(keys)) throw new PatchFormatError('invalid patch format of retainKeys', 'client');
  const kept = new Set<Json>(keys);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || key.startsWith('$')) continue;
    if (!kept.has(key)) throw new PatchFormatError('invalid patch format of retainKeys', 'client');
  }
  for (const key of Object.keys(result)) {
    if (!kept.has(key)) delete result[key];
  }
}

function deleteScalars(result: JsonFields, key: string, values: Json): void {
  const before = ownField(result, key);
  if (values === null) delete result[key];
  if (!Array.isArray(before) || !Array.isArray(values)) return;
  checkTypes(before, values);
  const unwanted = new Set<Json>(values);
  result[key] = before.filter((item) => !unwanted.has(item));
}

/** Merges the lists whose order the patch gives. Returns their keys, which are done with. */
function mergeOrderedLists(
  result: JsonFields,
  patch: JsonObject,
  schema: Schema | undefined,
  options: MergeOptions,
): ReadonlySet<string> {
  const done = new Set<string>();
  for (const [directiveKey, order] of Object.entries(patch)) {
    if (!directiveKey.startsWith(`${orderPrefix}/`)) continue;
    if (!Array.isArray(order)) throw badType('[]interface {}', order ?? null);
    if (!options.carryOut) {
      const before = ownField(result, directiveKey);
      if (before !== undefined && !equalValues(before, order)) {
        throw new PatchFormatError('invalid patch format of setElementOrder list', 'client');
      }
      setOwn(result, directiveKey, order);
    }
    const key = directiveKey.slice(orderPrefix.length + 1);
    if (schema?.type === 'object' && schema.name !== '' && !schema.fields.has(key))
      throw unknownField(schema.name, key);
    const strategy = strategyOf(schema, key);
    const live = listField(result, key);
    const changes = listField(patch, key);
    checkOrder(changes ?? [], order, strategy.mergeKey);
    done.add(key);
    if (live === undefined && changes === undefined) continue;
    const merged = mergedList(live, changes, strategy, options);
    setOwn(result, key, ordered(merged, { patch: order, live: live ?? [] }, strategy.mergeKey));
  }
  return done;
}

function mergedList(
  live: readonly Json[] | undefined,
  changes: readonly Json[] | undefined,
  strategy: FieldStrategy,
  options: MergeOptions,
): readonly Json[] {
  if (changes === undefined) return live ?? [];
  if (live === undefined) return withoutDirectives(changes, options) as readonly Json[];
  return strategy.merge ? mergeLists(live, changes, strategy, options) : changes;
}

function listField(object: JsonObject, key: string): readonly Json[] | undefined {
  const value = ownField(object, key);
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw badType('[]interface {}', value);
  return value;
}

/** The items of the patch stand in the order that it asks for. */
function checkOrder(changes: readonly Json[], order: readonly Json[], mergeKey: string | undefined): void {
  if (changes.length === 0 || order.length === 0) return;
  let at = 0;
  for (const item of changes) {
    if (isObject(item) && Object.hasOwn(item, directive)) continue;
    const keyOf = (one: Json): Json => (mergeKey === undefined ? one : requiredKey(one, mergeKey));
    while (at < order.length && keyOf(order[at]!) !== keyOf(item)) at++;
    if (at === order.length) {
      throw new PatchFormatError(
        `The order in patch list:\n${goText(changes as Json)}\n doesn't match ${orderPrefix} list:\n${goText(order as Json)}\n`,
      );
    }
    at++;
  }
}

/** The error for a `$patch` that nobody knows; what is no text is printed as Go prints it in such a place. */
function unknownCommand(command: Json, patch: JsonObject): PatchFormatError {
  const typed = command === null ? '<nil>' : `${goType(command)}=${goText(command)}`;
  const text = typeof command === 'string' ? command : `%!s(${typed})`;
  return new PatchFormatError(`unknown patch type: ${text} in map: ${goText(patch)}`);
}

function unknownField(type: string, field: string): PatchFormatError {
  const struct = type.slice(type.lastIndexOf('.') + 1);
  return new PatchFormatError(
    `unable to find api field in struct ${struct} for the json field ${JSON.stringify(field)}`,
  );
}

function mergeLists(
  live: readonly Json[],
  patch: readonly Json[],
  strategy: FieldStrategy,
  options: MergeOptions,
): readonly Json[] {
  if (live.length === 0 && patch.length === 0) return live;
  checkTypes(live, patch);
  if (!isObject(live[0] ?? patch[0])) {
    return ordered(distinct([...live, ...patch]), { patch, live }, undefined);
  }
  const { mergeKey } = strategy;
  if (mergeKey === undefined) throw new PatchFormatError('cannot merge lists without merge key');
  const items = strategy.schema?.type === 'list' ? strategy.schema.items : undefined;
  const { kept, changes } = obeyItemDirectives(live, patch, mergeKey);
  const merged = [...kept];
  for (const change of changes) {
    const key = requiredKey(change, mergeKey);
    const at = findByKey(merged, mergeKey, key);
    if (at < 0) merged.push(change);
    else merged[at] = mergeObjects(merged[at] as JsonObject, change as JsonObject, items, options);
  }
  return ordered(merged, { patch: changes, live: kept }, mergeKey);
}

/** Deletes and replaces as items of the patch say, and gives the items that are left to merge. */
function obeyItemDirectives(
  live: readonly Json[],
  patch: readonly Json[],
  mergeKey: string,
): { readonly kept: readonly Json[]; readonly changes: readonly Json[] } {
  let kept = live;
  const changes: Json[] = [];
  let replaces = false;
  for (const item of patch) {
    if (!isObject(item)) throw badType('map[string]interface {}', item);
    const command = ownField(item, directive);
    if (command === undefined) {
      changes.push(item);
    } else if (command === 'delete') {
      const key = requiredKey(item, mergeKey);
      kept = kept.filter((other) => itemKey(other, mergeKey) !== key);
    } else if (command === 'replace') {
      replaces = true;
    } else if (command === 'merge') {
      throw new PatchFormatError('merging lists cannot yet be specified in the patch');
    } else {
      throw unknownCommand(command, item);
    }
  }
  return replaces ? { kept: changes, changes: [] } : { kept, changes };
}
