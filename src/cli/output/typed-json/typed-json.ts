import { schemaOfKind } from '#kinds/resources.ts';
import type { Json, JsonObject } from '#machinery/meta.ts';
import type { Field, ObjectSchema, Schema } from '#machinery/schema.ts';
import order from './field-order.json' with { type: 'json' };

/**
 * Objects that the official client makes itself are structs to it: their JSON has fields in the order in which Go's
 * types declare them, while what it read from a server or a file is sorted. That order is the one of protobuf's
 * numbers, except for the types of `field-order.json` (from k8s.io/api v0.36).
 */
export function inStructOrder(object: JsonObject): JsonObject {
  const { kind, apiVersion, metadata, items, ...rest } = object;
  if (Array.isArray(items)) {
    const own = schemaOfKind(String(apiVersion), String(kind).replace(/List$/, ''));
    const each = items.map((item) => itemInOrder(item as JsonObject, own));
    return { kind, apiVersion, metadata, items: each } as JsonObject;
  }
  const schema = schemaOfKind(String(apiVersion), String(kind));
  if (schema === undefined) return object;
  return { kind, apiVersion, ...(ordered({ metadata, ...rest } as JsonObject, schema) as JsonObject) } as JsonObject;
}

/** Items of a list that a server sent have no kind of their own. */
function itemInOrder(item: JsonObject, schema: ObjectSchema | undefined): JsonObject {
  return item['kind'] === undefined && schema !== undefined
    ? (ordered(item, schema) as JsonObject)
    : inStructOrder(item);
}

function ordered(value: Json | undefined, schema: Schema): Json | undefined {
  if (Array.isArray(value)) {
    return schema.type === 'list' ? value.map((item) => ordered(item as Json, schema.items) ?? null) : value;
  }
  if (typeof value !== 'object' || value === null) return value;
  const object = value as JsonObject;
  if (schema.type === 'object') {
    const known = namesOf(schema).filter((name) => object[name] !== undefined);
    const others = Object.keys(object).filter((name) => !schema.fields.has(name));
    const entries = [...known, ...others].map((name) => {
      const field = schema.fields.get(name);
      return [name, field === undefined ? object[name] : ordered(object[name], field.schema)];
    });
    return Object.fromEntries(entries) as JsonObject;
  }
  const values = schema.type === 'map' ? schema.values : undefined;
  const names = Object.keys(object).sort();
  return Object.fromEntries(
    names.map((name) => [name, values === undefined ? object[name] : ordered(object[name], values)]),
  ) as JsonObject;
}

const known = new Map<ObjectSchema, readonly string[]>();

function namesOf(schema: ObjectSchema): readonly string[] {
  const before = known.get(schema);
  if (before !== undefined) return before;
  const told = (order as Readonly<Record<string, string>>)[schema.name];
  const names =
    told === undefined ? [...schema.fields.values()].sort(byNumber).map(({ name }) => name) : told.split(' ');
  known.set(schema, names);
  return names;
}

/** Fields of a struct within the struct stand where that one does. */
function byNumber(left: Field, right: Field): number {
  const [a, b] = [
    [...left.around, left.number],
    [...right.around, right.number],
  ];
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
