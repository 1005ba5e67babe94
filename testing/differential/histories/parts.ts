import { type Random, randomInteger } from '#base/random.ts';
import { type JsonFields, setOwn } from '#machinery/conform.ts';
import type { Json, JsonObject } from '#machinery/meta.ts';
import { strategyOf } from '#machinery/patch/strategic-patch.ts';
import type { ListSchema, ObjectSchema, Schema } from '#machinery/schema.ts';
import { pick, plausible } from '../generate.ts';

/** What no part of an object says: who it is comes with the request, the rest is the server's. */
const unsaid = new Set(['apiVersion', 'kind', 'metadata', 'status']);

/** Some fields of an object, one of them now and then with another value: what one of several writers would apply. */
export function partOf(random: Random, object: JsonObject, schema: ObjectSchema): JsonObject {
  const part: JsonFields = {};
  for (const [name, value] of Object.entries(object))
    if (!unsaid.has(name) && value !== undefined)
      setOwn(part, name, partOfMember(random, value, memberOf(schema, name)));
  return part as JsonObject;
}

function memberOf(schema: Schema | undefined, name: string): Schema | undefined {
  if (schema?.type === 'object') return schema.fields.get(name)?.schema;
  return schema?.type === 'map' ? schema.values : undefined;
}

function partOfMember(random: Random, value: Json, schema: Schema | undefined): Json {
  if (Array.isArray(value)) return partOfList(random, value, schema);
  if (typeof value === 'object' && value !== null) return partOfObject(random, value as JsonObject, schema);
  return random.next() < 0.12 ? plausible(random, '', schema, 0) : value;
}

function partOfObject(random: Random, object: JsonObject, schema: Schema | undefined): JsonObject {
  const part: JsonFields = {};
  const isWhole = schema?.type === 'object' && schema.atomic;
  for (const [name, value] of Object.entries(object)) {
    if (value === undefined) continue;
    const isNeeded = schema?.type === 'object' && schema.fields.get(name)?.required === true;
    if (isWhole || isNeeded || random.next() < 0.6)
      setOwn(part, name, partOfMember(random, value, memberOf(schema, name)));
  }
  return part as JsonObject;
}

function partOfList(random: Random, list: readonly Json[], schema: Schema | undefined): Json {
  if (schema?.type !== 'list' || schema.listType === 'atomic') return list;
  const kept = list.filter(() => random.next() < 0.7);
  if (random.next() < 0.2) kept.reverse();
  return kept.map((item) => (isObject(item) ? withKeys(partOfObject(random, item, schema.items), item, schema) : item));
}

/** An item without its keys is none. */
function withKeys(part: JsonObject, item: JsonObject, { keys }: ListSchema): JsonObject {
  const said = keys.filter((key) => item[key] !== undefined).map((key) => [key, item[key]]);
  return { ...part, ...(Object.fromEntries(said) as JsonObject) };
}

/** A strategic merge patch that changes a few things deep inside an object, with directives. */
export function directivesFor(random: Random, object: JsonObject, schema: Schema | undefined): JsonObject {
  const names = Object.keys(object).filter((name) => !unsaid.has(name) && object[name] !== undefined);
  const patch: JsonFields = {};
  for (const name of chosen(random, names)) addChange(random, patch, name, object[name]!, schema);
  if (random.next() < 0.05) patch['$retainKeys'] = chosen(random, [...names, ...Object.keys(patch)]);
  return patch as JsonObject;
}

function addChange(random: Random, patch: JsonFields, name: string, value: Json, schema: Schema | undefined): void {
  const { schema: inner, mergeKey, merge } = strategyOf(schema, name);
  if (random.next() < 0.04) patch[name] = null;
  else if (Array.isArray(value)) addListChange(random, patch, name, value, { items: inner, mergeKey, merge });
  else if (isObject(value)) patch[name] = objectChange(random, value, inner);
  else patch[name] = plausible(random, name, inner, 0);
}

function objectChange(random: Random, value: JsonObject, schema: Schema | undefined): Json {
  const dice = random.next();
  if (dice < 0.05) return { $patch: 'delete' };
  if (dice < 0.12) return { $patch: 'replace', ...value };
  return directivesFor(random, value, schema);
}

interface ListShape {
  readonly items: Schema | undefined;
  readonly mergeKey: string | undefined;
  readonly merge: boolean;
}

function addListChange(random: Random, patch: JsonFields, name: string, list: readonly Json[], shape: ListShape): void {
  const { items, mergeKey, merge } = shape;
  if (!merge || list.length === 0) {
    patch[name] = list.slice(randomInteger(random, list.length + 1));
  } else if (mergeKey === undefined) {
    patch[`$deleteFromPrimitiveList/${name}`] = chosen(random, list);
    if (random.next() < 0.5) patch[`$setElementOrder/${name}`] = shuffled(random, list);
  } else {
    const itemSchema = items?.type === 'list' ? items.items : undefined;
    const changes = chosen(random, list).map((item) => itemChange(random, item as JsonObject, mergeKey, itemSchema));
    if (random.next() < 0.1) changes.unshift({ $patch: 'replace' });
    patch[name] = changes;
    if (random.next() < 0.4)
      patch[`$setElementOrder/${name}`] = shuffled(random, list).map((item) => keyOf(item as JsonObject, mergeKey));
  }
}

function itemChange(random: Random, item: JsonObject, mergeKey: string, schema: Schema | undefined): JsonObject {
  const key = keyOf(item, mergeKey);
  if (random.next() < 0.2) return { $patch: 'delete', ...key };
  const { [mergeKey]: _, ...rest } = item;
  return { ...directivesFor(random, rest as JsonObject, schema), ...key };
}

function keyOf(item: JsonObject, mergeKey: string): JsonObject {
  return { [mergeKey]: item[mergeKey] } as JsonObject;
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** One or two of several. */
function chosen<T>(random: Random, choices: readonly T[]): T[] {
  if (choices.length === 0) return [];
  return [...new Set(Array.from({ length: 1 + randomInteger(random, 2) }, () => pick(random, choices)))];
}

function shuffled<T>(random: Random, items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: random.next() }))
    .sort((left, right) => left.at - right.at)
    .map(({ item }) => item);
}
