import { decodeBase64 } from '#machinery/base64.ts';
import { stringifyJson } from '#machinery/json.ts';
import type { Json } from '#machinery/meta.ts';
import type { CelType } from '../../types/types.ts';
import { equal } from '../../values/equality.ts';
import { fromJson } from '../../values/json.ts';
import { parseDuration, parseTimestamp } from '../../values/time.ts';
import { Double, fail, ListValue, MapValue, StructValue, type Value } from '../../values/value.ts';
import { type DeclaredType, fieldOf } from './declared-type.ts';

/** A JSON value as its schema says. Nothing is copied: parts are converted when they are read. @throws Failure */
export function typedJson(json: Json | undefined, declared: DeclaredType): Value {
  if (json === null || json === undefined) return null;
  switch (declared.kind) {
    case 'object':
      return isObject(json) ? new SchemaObject(json, declared) : wrong(json, declared);
    case 'map':
      return isObject(json) ? new SchemaMap(json, declared.element!) : wrong(json, declared);
    case 'list':
      return Array.isArray(json) ? new SchemaList(json, declared) : wrong(json, declared);
    case 'bytes':
      return typeof json === 'string' ? decodeBase64(json) : wrong(json, declared);
    case 'dateTime':
    case 'date':
      return (typeof json === 'string' ? instant(json) : undefined) ?? wrong(json, declared);
    case 'duration':
      return (typeof json === 'string' ? parseDuration(json) : undefined) ?? wrong(json, declared);
    case 'number':
      return typeof json === 'number' ? new Double(json) : wrong(json, declared);
    default:
      return fromJson(json);
  }
}

type JsonMapping = Readonly<Record<string, Json | undefined>>;

const isObject = (json: Json): json is JsonMapping => typeof json === 'object' && json !== null && !Array.isArray(json);

const wrong = (json: Json, { kind }: DeclaredType): never =>
  fail(`invalid data, expected ${kind}, got ${stringifyJson(json)}`);

const instant = (text: string) => parseTimestamp(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text);

class SchemaObject extends StructValue {
  readonly json: JsonMapping;
  readonly declared: DeclaredType;

  constructor(json: JsonMapping, declared: DeclaredType) {
    super();
    this.json = json;
    this.declared = declared;
  }

  get type(): CelType {
    return this.declared.type;
  }

  get(field: string): Value | undefined {
    const known = fieldOf(this.declared, field);
    if (known === undefined || !Object.hasOwn(this.json, known.property)) return undefined;
    return typedJson(this.json[known.property], known.declared);
  }

  has(field: string): boolean | undefined {
    const known = fieldOf(this.declared, field);
    return known === undefined ? undefined : Object.hasOwn(this.json, known.property);
  }

  equals(other: Value): boolean {
    if (!(other instanceof SchemaObject)) return false;
    for (const field of this.declared.fields.keys()) {
      const own = this.get(field);
      const others = other.get(field);
      if (own === undefined || others === undefined ? own !== others : !equal(own, others)) return false;
    }
    return true;
  }

  toJson(): Json {
    return this.json;
  }
}

class SchemaMap extends MapValue {
  readonly json: JsonMapping;
  readonly #element: DeclaredType;

  constructor(json: JsonMapping, element: DeclaredType) {
    super();
    this.json = json;
    this.#element = element;
  }

  get size(): number {
    return Object.keys(this.json).length;
  }

  get(key: Value): Value | undefined {
    return typeof key === 'string' && Object.hasOwn(this.json, key)
      ? typedJson(this.json[key], this.#element)
      : undefined;
  }

  keys(): Iterable<string> {
    return Object.keys(this.json);
  }

  toJson(): Json {
    return this.json;
  }
}

/** A list that its schema may declare to be a set or a map: then order does not count, and `+` merges. */
class SchemaList extends ListValue {
  readonly json: readonly Json[];
  readonly declared: DeclaredType;

  constructor(json: readonly Json[], declared: DeclaredType) {
    super();
    this.json = json;
    this.declared = declared;
  }

  get size(): number {
    return this.json.length;
  }

  at(index: number): Value {
    return typedJson(this.json[index], this.declared.element!);
  }

  override equalsList(other: ListValue): boolean | undefined {
    if (this.declared.listType === 'atomic') return undefined;
    if (this.size !== other.size) return false;
    const others = [...other];
    for (const item of this) {
      const index = others.findIndex((own) => equal(own, item));
      if (index < 0) return false;
      others.splice(index, 1);
    }
    return true;
  }

  override plus(other: ListValue): ListValue | undefined {
    if (this.declared.listType === 'atomic' || !(other instanceof SchemaList)) return undefined;
    const identity = (item: Json): string => this.#identity(item);
    const merged = new Map(this.json.map((item) => [identity(item), item]));
    for (const item of other.json) merged.set(identity(item), item);
    return new SchemaList([...merged.values()], this.declared);
  }

  #identity(item: Json): string {
    const { listType, listKeys } = this.declared;
    if (listType === 'set' || !isObject(item)) return stringifyJson(item);
    return stringifyJson(listKeys.map((key) => item[key] ?? null));
  }

  toJson(): Json {
    return this.json;
  }
}
