import { type ConformOptions, type ConformResult, conform, DecodeError, type JsonFields, setOwn } from './conform.ts';
import { elementType } from './go-types.ts';
import type { Json, JsonObject } from './meta.ts';
import type { Field, ListSchema, ObjectSchema, ScalarSchema, Schema } from './schema.ts';

/**
 * Decodes a document that a patch has put together. The official server takes such a document for values, not for
 * text: a number that is too large loses its upper bits, and what is wrong is said in other words.
 * @throws DecodeError
 */
export function conformUnstructured(value: Json, schema: Schema, options: ConformOptions = {}): ConformResult {
  try {
    return conform(value, schema, options);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return conform(restored(value, schema, undefined), schema, options);
  }
}

/**
 * The value with its numbers cut to size. @throws DecodeError for the first thing wrong.
 * @param go the name of its Go type, where that is not the schema's own
 */
function restored(value: Json, schema: Schema, go: string | undefined): Json {
  if (value === null) return null;
  switch (schema.type) {
    case 'object':
      return restoredObject(value, schema);
    case 'map':
      if (!isPlainObject(value)) throw new DecodeError(`cannot restore map from ${kindOf(value)}`);
      return mapMembers(value, Object.keys(value), () => ({ schema: schema.values, go: inner(go) }));
    case 'list':
      return restoredList(value, schema, inner(go));
    default:
      return restoredScalar(value, schema, go);
  }
}

function restoredObject(value: Json, { fields }: ObjectSchema): Json {
  if (!isPlainObject(value)) throw new DecodeError(`cannot restore struct from: ${kindOf(value)}`);
  // Go looks at the fields of a type in the order of its declaration, which protobuf numbers mostly follow.
  const present = Object.keys(value).flatMap((name) => fields.get(name) ?? []);
  const names = present.sort(byPlace).map(({ name }) => name);
  return mapMembers(value, names, (name) => {
    const { schema, go } = fields.get(name)!;
    return { schema, go: go?.type };
  });
}

/** Fields of a type that JSON does not show stand where it does. */
function byPlace(left: Field, right: Field): number {
  const placeOf = ({ name, around, number }: Field): number[] => [...around, isDeclaredFirst(name) ? 0 : number];
  const [one, other] = [placeOf(left), placeOf(right)];
  const at = one.findIndex((step, depth) => step !== other[depth]);
  return at < 0 ? 0 : one[at]! - (other[at] ?? 0);
}

/** Of config maps and secrets; it was added to them last. */
const isDeclaredFirst = (name: string): boolean => name === 'immutable';

interface MemberType {
  readonly schema: Schema;
  readonly go: string | undefined;
}

function inner(go: string | undefined): string | undefined {
  return go === undefined ? undefined : elementType(go);
}

function mapMembers(object: JsonObject, names: readonly string[], typeOf: (name: string) => MemberType): Json {
  const result: JsonFields = { ...object };
  for (const name of names) {
    const { schema, go } = typeOf(name);
    setOwn(result, name, restored(object[name]!, schema, go));
  }
  return result as JsonObject;
}

function restoredList(value: Json, { items }: ListSchema, go: string | undefined): Json {
  if (!Array.isArray(value)) throw new DecodeError(`cannot restore slice from ${kindOf(value)}`);
  return value.map((item: Json) => restored(item, items, go));
}

function restoredScalar(value: Json, schema: ScalarSchema, go = 'string'): Json {
  switch (schema.type) {
    case 'string':
      if (typeof value === 'string') return value;
      if (kindOf(value) === 'int64') throw new DecodeError(`cannot convert int64 to ${go}`);
      throw new DecodeError('unrecognized type: string');
    case 'boolean':
      if (typeof value === 'boolean') return value;
      throw new DecodeError('unrecognized type: bool');
    case 'int32':
      return restoredInteger(value, schema.type, 32);
    case 'int64':
      return restoredInteger(value, schema.type, 64);
    case 'double':
      if (typeof value === 'number' || typeof value === 'bigint') return value;
      throw new DecodeError('unrecognized type: float64');
    case 'bytes':
      return restoredBytes(value, schema);
    default:
      // Types that read themselves from text do so here as well.
      return conform(value, schema).value;
  }
}

function restoredInteger(value: Json, type: string, bits: number): Json {
  if (typeof value !== 'number' && typeof value !== 'bigint') throw new DecodeError(`unrecognized type: ${type}`);
  if (!Number.isInteger(Number(value))) throw new DecodeError(`cannot convert float64 to ${type}`);
  const cut = BigInt.asIntN(bits, BigInt(value));
  return Number.isSafeInteger(Number(cut)) ? Number(cut) : cut;
}

function restoredBytes(value: Json, schema: ScalarSchema): Json {
  if (Array.isArray(value))
    return conform(
      value.map((item: Json) => restoredOctet(item)),
      schema,
    ).value;
  if (typeof value !== 'string') throw new DecodeError(`cannot restore slice from ${kindOf(value)}`);
  try {
    return conform(value, schema).value;
  } catch (error) {
    throw new DecodeError(`error decoding from json: ${(error as Error).message}`);
  }
}

function restoredOctet(value: Json): Json {
  if (typeof value !== 'number') throw new DecodeError('unrecognized type: uint8');
  if (!Number.isInteger(value)) throw new DecodeError('cannot convert float64 to uint8');
  return value & 0xff;
}

function isPlainObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What Go calls the kind of a decoded value. */
function kindOf(value: Json): string {
  if (Array.isArray(value)) return 'slice';
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'object':
      return 'map';
    default:
      return Number.isInteger(Number(value)) ? 'int64' : 'float64';
  }
}
