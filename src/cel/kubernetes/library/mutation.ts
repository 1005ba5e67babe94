import type { Json, JsonObject } from '#machinery/meta.ts';
import { global } from '../../library/define.ts';
import type { Library } from '../../library/library.ts';
import type { TypeProvider } from '../../types/provider.ts';
import { type CelType, dynType, stringType, structType } from '../../types/types.ts';
import { equal } from '../../values/equality.ts';
import { toJson } from '../../values/json.ts';
import { fail, ListValue, MapValue, OptionalValue, StructValue, type Value } from '../../values/value.ts';

/** What mutating policies construct: `Object{spec: Object.spec{replicas: 1}}` and `JSONPatch{op: "add", path: "/a"}`. */

export const objectType: CelType = structType('Object');
export const jsonPatchType: CelType = structType('JSONPatch');

const isObjectName = (name: string): boolean => name === 'Object' || name.startsWith('Object.');
const patchFields = new Set(['op', 'path', 'from', 'value']);

/** An object that an expression has put together, without a schema. */
export class ConstructedObject extends StructValue {
  readonly type: CelType;
  readonly fields: ReadonlyMap<string, Value>;

  constructor(type: CelType, fields: ReadonlyMap<string, Value>) {
    super();
    this.type = type;
    this.fields = fields;
  }

  get isZero(): boolean {
    return this.fields.size === 0;
  }

  get(field: string): Value | undefined {
    return this.fields.get(field);
  }

  has(field: string): boolean {
    return this.fields.has(field);
  }

  equals(other: Value): boolean {
    if (!(other instanceof ConstructedObject) || other.type.name !== this.type.name) return false;
    if (other.fields.size !== this.fields.size) return false;
    return [...this.fields].every(([name, value]) => other.fields.has(name) && equal(value, other.fields.get(name)!));
  }

  toJson(): JsonObject {
    const json: Record<string, Json> = {};
    for (const [name, value] of this.fields) {
      if (value instanceof OptionalValue && value.value === undefined) continue;
      json[name] = toJson(value);
    }
    return json;
  }

  /**
   * Objects within whose type is not named after the fields that lead to them. Each is a message; maps and lists
   * between them have no name.
   */
  misnamed(): readonly string[] {
    return misnamedIn(this, this.type.name);
  }
}

function misnamedIn(value: Value, path: string): readonly string[] {
  if (value instanceof ConstructedObject) {
    const { name } = value.type;
    const own =
      name === path
        ? []
        : [`unexpected type name "${name}", expected "${path}", which matches field name path from root Object type`];
    return [...own, ...[...value.fields].flatMap(([field, inner]) => misnamedIn(inner, `${path}.${field}`))];
  }
  if (value instanceof ListValue) return [...value].flatMap((item) => misnamedIn(item, path));
  if (value instanceof MapValue) return [...value.keys()].flatMap((key) => misnamedIn(value.get(key)!, path));
  return [];
}

const types: TypeProvider = {
  findType: (name) => (isObjectName(name) || name === 'JSONPatch' ? structType(name) : undefined),
  findField: (typeName, field) => {
    if (isObjectName(typeName)) return dynType;
    if (typeName !== 'JSONPatch') return undefined;
    // Upstream knows of any field, and of no type of those that there are not.
    if (!patchFields.has(field)) return structType('');
    return field === 'value' ? dynType : stringType;
  },
  construct: (typeName, fields) => {
    if (typeName === 'JSONPatch') {
      for (const [name, value] of fields) {
        if (name !== 'value' && typeof value !== 'string') fail(`unexpected type for JSONPatchType '${name}' field`);
      }
    }
    return new ConstructedObject(structType(typeName), fields);
  },
};

/** https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/ */
export const mutationLibrary: Library = {
  name: 'kubernetes.mutation',
  types,
  overloads: [
    global('jsonpatch.escapeKey', 'string_jsonpatch_escapeKey_string', [stringType], stringType, (key: string) =>
      key.replaceAll('~', '~0').replaceAll('/', '~1'),
    ),
  ],
};
