import { encodeBase64 } from '#machinery/base64.ts';
import type { Json } from '#machinery/meta.ts';
import { Duration, formatDuration, formatTimestamp, Timestamp } from './time.ts';
import { Double, fail, ListValue, MapValue, OptionalValue, StructValue, Uint, type Value } from './value.ts';

/** A JSON value as CEL sees it where no schema says more. Nothing is copied: items are converted when they are read. */
export function fromJson(json: Json | undefined): Value {
  switch (typeof json) {
    case 'number':
      return Number.isSafeInteger(json) ? json : new Double(json);
    case 'object':
      if (json === null) return null;
      return Array.isArray(json) ? new JsonList(json) : new JsonMap(json as Readonly<Record<string, Json>>);
    case 'undefined':
      return null;
    default:
      return json;
  }
}

/** A JSON array, seen through `fromJson`. */
class JsonList extends ListValue {
  readonly json: readonly Json[];

  constructor(json: readonly Json[]) {
    super();
    this.json = json;
  }

  get size(): number {
    return this.json.length;
  }

  at(index: number): Value {
    return fromJson(this.json[index]);
  }
}

/** A JSON object, seen through `fromJson`. */
class JsonMap extends MapValue {
  readonly json: Readonly<Record<string, Json>>;

  constructor(json: Readonly<Record<string, Json>>) {
    super();
    this.json = json;
  }

  get size(): number {
    return Object.keys(this.json).length;
  }

  get(key: Value): Value | undefined {
    if (typeof key !== 'string' || !Object.hasOwn(this.json, key)) return undefined;
    const value = this.json[key];
    return value === undefined ? undefined : fromJson(value);
  }

  keys(): Iterable<string> {
    return Object.keys(this.json);
  }
}

/** A value that knows its own JSON form (objects that were constructed, quantities). */
export interface JsonSource {
  toJson(): Json;
}

const hasJson = (value: object): value is JsonSource => 'toJson' in value && typeof value.toJson === 'function';

/** @throws Failure for values that JSON cannot hold. */
export function toJson(value: Value): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (hasJson(value)) return value.toJson();
  if (value instanceof JsonList) return value.json as Json;
  if (value instanceof JsonMap) return value.json as Json;
  if (value instanceof ListValue) return [...value].map(toJson);
  if (value instanceof MapValue) {
    return Object.fromEntries([...value.keys()].map((key) => [String(key), toJson(value.get(key)!)]));
  }
  if (value instanceof Double) return value.value;
  if (value instanceof Uint) return value.value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value.value) : value.value;
  if (value instanceof Uint8Array) return encodeBase64(value);
  if (value instanceof Timestamp) return formatTimestamp(value);
  if (value instanceof Duration) return formatDuration(value);
  if (value instanceof OptionalValue) return value.value === undefined ? null : toJson(value.value);
  if (value instanceof StructValue) return fail(`no conversion of ${value.type.name} to JSON`);
  return fail('no conversion to JSON');
}
