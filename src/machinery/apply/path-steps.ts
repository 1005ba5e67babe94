import { zeroOf } from '../conform.ts';
import { stringifyJson } from '../json.ts';
import type { Json, JsonObject } from '../meta.ts';
import { isObject } from '../patch/merge-patch.ts';
import type { ListSchema, Schema } from '../schema.ts';

/** Values of no declared type: objects are taken apart, lists are not. */
const untyped: Schema = { type: 'any', message: '' };

/** Whether a value is owned as one, whatever is in it. */
export function isLeaf(schema: Schema): boolean {
  switch (schema.type) {
    case 'object':
    case 'map':
      return schema.atomic;
    case 'list':
      return schema.listType === 'atomic';
    case 'any':
      return schema.message !== '';
    default:
      return true;
  }
}

/** The schema of a field or key of an object; `named` when the type declares it. */
export function memberSchema(schema: Schema, key: string): { readonly schema: Schema; readonly named: boolean } {
  if (schema.type === 'object') {
    const field = schema.fields.get(key);
    if (field !== undefined) return { schema: field.schema, named: true };
  }
  return { schema: schema.type === 'map' ? schema.values : untyped, named: false };
}

/** An item of a list by keys that has none: nobody can own it, nor anything around it. */
export class KeylessItem extends Error {}

/** A template may bring records of ownership along, which have to be some. @throws KeylessItem */
export function checkRecords(key: string, value: Json | undefined): void {
  if (key === 'managedFields' && areOddRecords(value)) throw new KeylessItem('fieldsV1: expected map');
  // A list of whole objects that is owned as one, and so not looked into.
  if (key === 'volumeClaimTemplates' && Array.isArray(value))
    for (const { metadata } of value.filter(isObject))
      if (isObject(metadata)) checkRecords('managedFields', metadata['managedFields']);
}

/** Whether a record of ownership among them is none. */
export function areOddRecords(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  return (value as readonly Json[]).some((entry) => {
    const { fieldsV1 } = (isObject(entry) ? entry : {}) as JsonObject;
    return fieldsV1 !== undefined && !isObject(fieldsV1);
  });
}

/** The step of a list's item: `k:` with its keys, or `v:` with its value. @throws KeylessItem */
export function itemStep(schema: ListSchema, item: Json, index: number): string {
  if (schema.listType === 'set') return `v:${stringifyJson(item)}`;
  if (!isObject(item))
    throw new KeylessItem(`element ${index}: associative list with keys may not have non-map elements`);
  const keys: Record<string, Json> = {};
  for (const key of [...schema.keys].sort()) {
    const value = item[key] === undefined ? defaultOf(schema.items, key) : item[key];
    if (value !== undefined) keys[key] = value;
  }
  if (Object.keys(keys).length === 0)
    throw new KeylessItem(`element ${index}: associative list with keys has an element that omits all key fields`);
  return `k:${stringifyJson(keys)}`;
}

/** What an absent key counts as: its default, or the zero value of a field that is always written. */
export function defaultOf(items: Schema, key: string): Json | undefined {
  const field = items.type === 'object' ? items.fields.get(key) : undefined;
  if (field === undefined || field.keyDefault !== undefined) return field?.keyDefault;
  return field.presence === 'always' ? zeroOf(field.schema) : undefined;
}

/** Items by their steps, in order; of items with one step the first counts. */
export function itemsByStep(schema: ListSchema, list: readonly Json[]): ReadonlyMap<string, Json> {
  const items = new Map<string, Json>();
  list.forEach((item, index) => {
    const step = itemStep(schema, item, index);
    if (!items.has(step)) items.set(step, item);
  });
  return items;
}

/** Items whose step no other item has, and, by their step, those that share one. Nobody owns parts of the latter. */
export function repeatedItems(
  schema: ListSchema,
  list: readonly Json[],
  unique: ReadonlyMap<string, Json>,
): ReadonlyMap<string, readonly Json[]> {
  const repeated = new Map<string, Json[]>();
  if (unique.size === list.length) return repeated;
  list.forEach((item, index) => {
    const step = itemStep(schema, item, index);
    const items = repeated.get(step) ?? [];
    repeated.set(step, items);
    items.push(item);
  });
  for (const [step, items] of repeated) if (items.length < 2) repeated.delete(step);
  return repeated;
}

/** Keys that have a value. */
export function keysOf(object: JsonObject): string[] {
  return Object.keys(object).filter((key) => object[key] !== undefined);
}
