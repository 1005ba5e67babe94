import { badBase64At, encodeBase64 } from './base64.ts';
import { elementType, goType, goTypeName, jsonType } from './go-types.ts';
import type { Json, JsonObject } from './meta.ts';
import { canonicalQuantity } from './quantity.ts';
import type { Field, ListSchema, MapSchema, ObjectSchema, ScalarSchema, Schema } from './schema.ts';
import { type Emptied, noteEmptied } from './sent-empty.ts';
import { canonicalMicroTime, canonicalTime } from './time.ts';

/** A JSON object under construction. */
export type JsonFields = { [key: string]: Json | undefined };

/** A value that does not fit its type. The message is the one Go's decoder gives. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}

export interface ConformResult {
  /** The very value that came in, if nothing had to change; otherwise it shares what did not. */
  readonly value: Json;
  /** Paths of fields that the type does not have, such as `spec.containers[0].imag`. They are not in `value`. */
  readonly unknown: readonly string[];
}

/** How deep values of no known type may nest. */
export const maximumNesting = 1000;
/** How many unknown fields are reported, as upstream does. */
export const maximumStrictErrors = 100;

/**
 * Brings a parsed value into the form that the official server gives it by decoding: null is absent, fields of no
 * type are dropped, times and quantities are canonical, zero values are left out or filled in as the type says.
 * Never changes `value`. Throws DecodeError where a value has the wrong type.
 */
export function conform(value: unknown, schema: Schema, options: ConformOptions = {}): ConformResult {
  const walk = new Walk(options);
  const conformed = walk.value(value as Json, schema, options.known);
  if (walk.mismatch !== undefined) throw walk.mismatch;
  return { value: conformed === undefined ? emptyOf(schema) : conformed, unknown: walk.unknown };
}

export interface ConformOptions {
  /** The value is part of an object, as an apply patch is: nothing is left out or filled in, and null stays. */
  readonly partial?: boolean;
  /** In the paths of unknown fields, the keys of maps are left out. */
  readonly leavesKeysOut?: boolean;
  /** An object of this form: what the value shares with it, in the same place, is not looked into. */
  readonly known?: JsonObject | undefined;
  /** Is told where an empty list or map was left out. */
  readonly emptied?: Emptied | undefined;
}

/** What an absent field that is always written reads as; undefined for types that have no such value. */
export function zeroOf(schema: Schema): Json | undefined {
  switch (schema.type) {
    case 'object':
      return emptyOf(schema);
    case 'string':
      return '';
    case 'boolean':
      return false;
    case 'int32':
    case 'int64':
    case 'double':
    case 'intOrString':
      return 0;
    case 'quantity':
      return '0';
    default:
      return undefined;
  }
}

/** What null becomes where nothing can be absent; for an object, its form when no field is set. */
export function emptyOf(schema: Schema): Json {
  if (schema.type === 'list') return [];
  if (schema.type === 'map') return {};
  if (schema.type === 'bytes') return '';
  if (schema.type !== 'object') return zeroOf(schema) ?? null;
  const object: JsonFields = {};
  for (const { name, zero } of alwaysFields(schema)) object[name] = zero();
  return object;
}

interface AlwaysField {
  readonly name: string;
  readonly zero: () => Json;
}

const nothing: readonly AlwaysField[] = [];
const alwaysFieldsOf = new WeakMap<ObjectSchema, readonly AlwaysField[]>();

function alwaysFields(schema: ObjectSchema): readonly AlwaysField[] {
  let fields = alwaysFieldsOf.get(schema);
  if (fields === undefined) {
    fields = [...schema.fields.values()]
      .filter((field) => field.presence === 'always' && zeroOf(field.schema) !== undefined)
      .map((field) => ({ name: field.name, zero: () => zeroOf(field.schema)! }));
    alwaysFieldsOf.set(schema, fields);
  }
  return fields;
}

/** One conversion: remembers where it is, and what it did not know. */
class Walk {
  readonly unknown: string[] = [];
  /** The first value of the wrong type. Go decodes on, and what a type's own decoder refuses comes before it. */
  mismatch: DecodeError | undefined;
  /** Field names and list indices from the root. */
  readonly #path: (string | number)[] = [];
  /** The fields alone, and the object that holds the current one: what Go's decoder says of where it is. */
  readonly #fields: Field[] = [];
  #holder: ObjectSchema | undefined;
  /** Lists and maps between the current field and the current value. */
  #depth = 0;
  readonly #partial: boolean;
  readonly #leavesKeysOut: boolean;
  /** Where in the path there are keys of maps that are left out. */
  readonly #keysAt: number[] = [];
  readonly #emptied: Emptied | undefined;

  constructor({ partial = false, leavesKeysOut = false, emptied }: ConformOptions) {
    this.#leavesKeysOut = leavesKeysOut;
    this.#partial = partial;
    this.#emptied = emptied;
  }

  /** The conformed value; undefined for null. */
  value(value: Json, schema: Schema, known: Json | undefined): Json | undefined {
    if (value === null) return this.#partial ? null : undefined;
    if (value === known && known !== undefined) return value;
    switch (schema.type) {
      case 'object':
        return this.#object(value, schema, known as JsonObject | undefined);
      case 'list':
        return this.#list(value, schema, known as readonly Json[] | undefined);
      case 'map':
        return this.#map(value, schema, known as JsonObject | undefined);
      default:
        return this.#scalar(value, schema);
    }
  }

  #object(value: Json, schema: ObjectSchema, known: JsonObject | undefined): JsonObject | undefined {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return this.#refuse(value, schema);
    const object = value as JsonObject;
    const { fields } = schema;
    let result: JsonFields | undefined;
    let dropped: string[] | undefined;
    for (const name in object) {
      const before = object[name]!;
      const field = fields.get(name);
      let after: Json | undefined;
      if (field === undefined) {
        if (!schema.preserveUnknown) this.#reportUnknown(name);
        else after = checkNesting(before, this.#path.length);
      } else {
        // Text is what most fields hold, and stays as it is.
        if (field.schema.type === 'string' && typeof before === 'string' && before !== '') continue;
        after = this.#field(before, field, schema, known?.[name]);
      }
      if (after === before) continue;
      if (after === undefined) {
        dropped ??= [];
        dropped.push(name);
        continue;
      }
      result ??= { ...object } as JsonFields;
      setOwn(result, name, after);
    }
    if (dropped !== undefined) result = this.#without(dropped, (result as JsonObject | undefined) ?? object, schema);
    for (const { name, zero } of this.#partial ? nothing : alwaysFields(schema)) {
      if ((result ?? object)[name] !== undefined) continue;
      result ??= { ...object } as JsonFields;
      result[name] = zero();
    }
    return (result as JsonObject | undefined) ?? object;
  }

  /** A copy of the other members: an object that members are deleted from is slow to read and takes more memory. */
  #without(dropped: readonly string[], object: JsonObject, { fields }: ObjectSchema): JsonFields {
    const kept: JsonFields = {};
    // They are in the order of the object.
    let next = 0;
    for (const name in object) {
      if (name === dropped[next]) next++;
      else setOwn(kept, name, object[name]!);
    }
    for (const name of dropped) {
      const field = fields.get(name);
      const before = object[name]!;
      if (field !== undefined && mayBeMissed(before, field.schema)) this.#note(kept, name, before);
    }
    return kept;
  }

  #field(before: Json, field: Field, holder: ObjectSchema, known: Json | undefined): Json | undefined {
    const holderBefore = this.#holder;
    const depthBefore = this.#depth;
    this.#holder = holder;
    this.#depth = 0;
    this.#path.push(field.name);
    this.#fields.push(field);
    const after = this.value(before, field.schema, known);
    this.#fields.pop();
    this.#path.pop();
    this.#holder = holderBefore;
    this.#depth = depthBefore;
    if (this.#partial) return after;
    if (field.presence === 'nonZero' && (after === '' || after === 0 || after === false)) return undefined;
    const isLeftOut = field.presence !== 'always' && isEmptyCollection(after, field.schema);
    return isLeftOut && !this.#isRecordOfOwners(field) ? undefined : after;
  }

  #note(holder: JsonFields, field: string, sent: Json): void {
    noteEmptied(holder, field, sent);
    if (this.#emptied !== undefined) this.#emptied.isAny = true;
  }

  /** Who sends an empty one wants it to be forgotten: the very field, not one like it inside a template. */
  #isRecordOfOwners({ name }: Field): boolean {
    return name === 'managedFields' && this.#path.length === 1;
  }

  #list(value: Json, schema: ListSchema, known: readonly Json[] | undefined): Json | undefined {
    if (!Array.isArray(value)) return this.#refuse(value, schema);
    let result: Json[] | undefined;
    this.#depth++;
    for (let index = 0; index < value.length; index++) {
      const before: Json = value[index];
      this.#path.push(index);
      const after = this.value(before, schema.items, known?.[index]) ?? emptyOf(schema.items);
      this.#path.pop();
      if (after === before) continue;
      result ??= value.slice();
      result[index] = after;
    }
    this.#depth--;
    return result ?? value;
  }

  #map(value: Json, schema: MapSchema, known: JsonObject | undefined): Json | undefined {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return this.#refuse(value, schema);
    const object = value as JsonObject;
    let result: JsonFields | undefined;
    this.#depth++;
    if (this.#leavesKeysOut) this.#keysAt.push(this.#path.length);
    for (const name of Object.keys(object)) {
      const before = object[name]!;
      this.#path.push(name);
      const after = this.value(before, schema.values, known?.[name]) ?? emptyOf(schema.values);
      this.#path.pop();
      if (after === before) continue;
      result ??= { ...object } as JsonFields;
      setOwn(result, name, after);
    }
    this.#depth--;
    if (this.#leavesKeysOut) this.#keysAt.pop();
    return (result as JsonObject | undefined) ?? object;
  }

  #scalar(value: Json, schema: ScalarSchema): Json | undefined {
    switch (schema.type) {
      case 'string':
        if (typeof value === 'string') return value;
        break;
      case 'boolean':
        if (typeof value === 'boolean') return value;
        break;
      case 'int32':
        if (Number.isInteger(value) && (value as number) >= -0x80000000 && (value as number) <= 0x7fffffff)
          return value;
        break;
      case 'int64':
        if (Number.isInteger(value) || isInt64(value)) return value;
        break;
      case 'double':
        if (typeof value === 'number') return value;
        if (typeof value === 'bigint') return Number(value);
        break;
      case 'bytes':
        if (typeof value === 'string') return this.#bytes(value);
        if (Array.isArray(value)) return this.#octets(value);
        break;
      case 'time':
        if (typeof value === 'string') return decoded(canonicalTime, value);
        throw this.#mismatch(jsonType(value), 'string');
      case 'microTime':
        if (typeof value === 'string') return decoded(canonicalMicroTime, value);
        throw this.#mismatch(jsonType(value), 'string');
      case 'quantity':
        return decoded(canonicalQuantity, typeof value === 'string' ? value.trim() : String(value));
      case 'intOrString':
        if (typeof value === 'string' || isInt32(value)) return value;
        throw this.#mismatch(jsonType(value, true), 'int32');
      case 'any':
        checkNesting(value, this.#path.length);
        return schema.inner === undefined ? value : this.#inner(value, schema, schema.inner);
    }
    return this.#refuse(value, schema);
  }

  /** Go decodes on after what is no base64. */
  #bytes(text: string): string | undefined {
    const bad = badBase64At(text);
    if (bad === undefined) return /[\r\n]/.test(text) ? text.replace(/[\r\n]/g, '') : text;
    this.mismatch ??= new DecodeError(`illegal base64 data at input byte ${bad}`);
    return undefined;
  }

  /** Bytes may also come one by one. */
  #octets(values: readonly Json[]): string | undefined {
    const isOctet = (value: Json): boolean =>
      Number.isInteger(value) && (value as number) >= 0 && (value as number) < 256;
    const other = values.find((value) => value !== null && !isOctet(value));
    if (other === undefined) return encodeBase64(Uint8Array.from(values as readonly number[]));
    this.mismatch ??= this.#mismatch(jsonType(other, true), 'uint8');
    return undefined;
  }

  /** What one thing or another holds: Go decodes these on their own, and reports no unknown fields in them. */
  #inner(value: Json, { message = '' }: ScalarSchema, inner: ObjectSchema): Json | undefined {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (message.endsWith('OrBool') && typeof value !== 'boolean' && !isObject)
      throw new DecodeError('boolean or JSON schema expected');
    if (isObject) return conform(value, inner, { emptied: this.#emptied }).value;
    if (!message.endsWith('PropsOrArray')) return value;
    // What is neither is nothing, and so are no schemas.
    if (!Array.isArray(value) || value.length === 0) return undefined;
    return value.map((item: Json) => {
      if (item !== null && (typeof item !== 'object' || Array.isArray(item)))
        throw this.#mismatch(jsonType(item), goType(inner));
      return conform(item, inner, { emptied: this.#emptied }).value;
    });
  }

  #reportUnknown(name: string): void {
    if (this.unknown.length >= maximumStrictErrors) return;
    const path = this.#leavesKeysOut ? this.#path.filter((_, at) => !this.#keysAt.includes(at)) : this.#path;
    this.unknown.push(pathText([...path, name]));
  }

  /** Remembers a value of the wrong type, which then counts as absent. */
  #refuse(value: Json, schema: Schema): undefined {
    const isNumber = schema.type === 'int32' || schema.type === 'int64';
    this.mismatch ??= this.#mismatch(jsonType(value, isNumber), this.#goType(schema));
  }

  #mismatch(what: string, type: string): DecodeError {
    const holder = this.#holder?.name ?? '';
    const path = this.#fields.flatMap(({ name, go }) => [...(go?.around ?? []), name]).join('.');
    const where = holder === '' ? 'Go value' : `Go struct field ${goTypeName(holder)}.${path}`;
    return new DecodeError(`json: cannot unmarshal ${what} into ${where} of type ${type}`);
  }

  #goType(schema: Schema): string {
    let type = this.#fields.at(-1)?.go?.type;
    for (let depth = 0; depth < this.#depth && type !== undefined; depth++) type = elementType(type);
    return type ?? goType(schema);
  }
}

function isInt32(value: Json): boolean {
  return Number.isInteger(value) && (value as number) >= -0x80000000 && (value as number) <= 0x7fffffff;
}

function isInt64(value: Json): boolean {
  return typeof value === 'bigint' && BigInt.asIntN(64, value) === value;
}

/** Whether a value that is left out was something to a Go server. */
function mayBeMissed(value: Json, schema: Schema): boolean {
  const isNoBytes = schema.type === 'bytes' && Array.isArray(value) && value.length === 0;
  return isNoBytes || isEmptyCollection(value, schema) || (schema.type === 'any' && value !== null);
}

function isEmptyCollection(value: Json | undefined, schema: Schema): boolean {
  if (schema.type === 'bytes') return value === '';
  if (schema.type === 'list') return Array.isArray(value) && value.length === 0;
  if (schema.type !== 'map' || typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  for (const _ in value as JsonObject) return false;
  return true;
}

/** Assigns like JSON.parse does, so that a key named `__proto__` is a key like any other. */
export function setOwn(object: JsonFields, name: string, value: Json): void {
  if (name === '__proto__') {
    Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
  } else {
    object[name] = value;
  }
}

/** `spec.containers[0].name`. */
function pathText(steps: readonly (string | number)[]): string {
  let text = '';
  for (const step of steps) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

function decoded(convert: (text: string) => string, text: string): string {
  try {
    return convert(text);
  } catch (error) {
    throw new DecodeError((error as Error).message);
  }
}

function checkNesting(value: Json, depth: number): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > maximumNesting) throw new DecodeError('exceeded max depth');
  for (const item of Array.isArray(value) ? value : Object.values(value)) checkNesting(item as Json, depth + 1);
  return value;
}
