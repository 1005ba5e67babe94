import type { JsonFields } from './conform.ts';
import type { Json, JsonObject } from './meta.ts';
import type { ObjectSchema, Schema } from './schema.ts';
import { withEmptied } from './sent-empty.ts';

/**
 * Some lists, maps and times are written even when there are none: `endpoints: null`. Inside the server they are
 * absent like everything else that has no value; these functions make and take back the written form.
 */

/** Where in a type such fields are. */
interface Places {
  /** Fields of the object itself. */
  readonly fields: readonly (readonly [name: string, shape: Schema['type']])[];
  /** Fields with such fields somewhere inside. */
  readonly within: readonly (readonly [name: string, shape: Schema['type'], places: Places])[];
}

const none: Places = { fields: [], within: [] };
const placesOf = new WeakMap<ObjectSchema, Places>();

function placesIn(schema: ObjectSchema): Places {
  const known = placesOf.get(schema);
  if (known !== undefined) return known;
  // Types that hold themselves (JSON schemas) have no such fields.
  placesOf.set(schema, none);
  const fields: [string, Schema['type']][] = [];
  const within: [string, Schema['type'], Places][] = [];
  for (const { name, schema: type, presence } of schema.fields.values()) {
    // Lists of objects are always lists.
    const isWritten = presence === 'null' || (presence === 'always' && isNullable(type));
    if (isWritten && name !== 'items') fields.push([name, type.type]);
    const inner = elementOf(type);
    const places = inner === undefined ? none : placesIn(inner);
    if (places !== none) within.push([name, type.type, places]);
  }
  const places = fields.length + within.length === 0 ? none : { fields, within };
  placesOf.set(schema, places);
  return places;
}

function isNullable({ type }: Schema): boolean {
  return ['list', 'map', 'time', 'microTime', 'any', 'bytes'].includes(type);
}

/** The type of an object, or of the objects that a list or map holds. */
function elementOf(schema: Schema): ObjectSchema | undefined {
  if (schema.type === 'list') return elementOf(schema.items);
  if (schema.type === 'map') return elementOf(schema.values);
  return schema.type === 'object' ? schema : undefined;
}

/** Upstream keeps these in JSON, which can tell what is empty from what is not there. */
function isKeptAsJson({ name }: ObjectSchema): boolean {
  return name.startsWith('apiextensions.');
}

interface ExplicitNullsOptions {
  /** What is empty stays so, as in an object that was not written yet. */
  readonly keepsEmpty?: boolean;
}

const noOptions: ExplicitNullsOptions = {};

/**
 * The object as it is written: with null where nothing is there, and for what is empty. Never changes `object`.
 */
export function withExplicitNulls<T extends object>(
  object: T,
  schema: ObjectSchema,
  { keepsEmpty = isKeptAsJson(schema) }: ExplicitNullsOptions = noOptions,
): T {
  const places = placesIn(schema);
  return places === none ? object : (written(object as JsonObject, places, keepsEmpty) as unknown as T);
}

function written(object: JsonObject, { fields, within }: Places, keepsEmpty: boolean): JsonObject {
  let result: JsonFields | undefined;
  const change = (name: string, value: Json): void => {
    result ??= keepsEmpty ? withEmptied({ ...object } as JsonFields, object) : ({ ...object } as JsonFields);
    result[name] = value;
  };
  for (const [name, shape] of fields)
    if (object[name] === undefined || (!keepsEmpty && isEmpty(object[name], shape))) change(name, null);
  for (const [name, shape, places] of within) {
    const value = (result ?? object)[name];
    if (typeof value !== 'object' || value === null) continue;
    const after = mapped(value, shape, (item) => written(item, places, keepsEmpty));
    if (after !== value) change(name, after);
  }
  return (result as JsonObject | undefined) ?? object;
}

function isEmpty(value: Json | undefined, shape: Schema['type']): boolean {
  if (value === undefined) return true;
  if (shape !== 'list' && shape !== 'map') return false;
  if (typeof value !== 'object' || value === null) return false;
  for (const _ in value) return false;
  return true;
}

/** The value with its objects changed; the very value when none did. */
function mapped(value: Json, shape: Schema['type'], change: (item: JsonObject) => JsonObject): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (shape === 'object') return change(value as JsonObject);
  if (Array.isArray(value)) {
    const after = (value as readonly Json[]).map((item) => mapped(item, 'object', change));
    return after.every((item, index) => item === value[index]) ? value : after;
  }
  const entries = Object.entries(value as JsonObject).map(([key, item]) => [key, mapped(item!, 'object', change)]);
  return Object.fromEntries(entries) as JsonObject;
}

/** Takes the nulls of a written object away again, in place. */
export function dropExplicitNulls(object: object, schema: ObjectSchema): void {
  const places = placesIn(schema);
  if (places !== none) drop(object as JsonFields, places);
}

function drop(object: JsonFields, { fields, within }: Places): void {
  for (const [name] of fields) if (object[name] === null) delete object[name];
  for (const [name, shape, places] of within) {
    const value = object[name];
    if (typeof value !== 'object' || value === null) continue;
    const inner = shape === 'object' ? [value] : Object.values(value);
    for (const item of inner) if (typeof item === 'object' && item !== null) drop(item as JsonFields, places);
  }
}
