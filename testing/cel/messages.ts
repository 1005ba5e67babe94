import {
  create,
  type DescField,
  type DescMessage,
  equals,
  getExtension,
  hasExtension,
  type Message,
  toJson as messageToJson,
  type Registry,
  ScalarType,
} from '@bufbuild/protobuf';
import { type ReflectList, type ReflectMap, type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect';
import { type Any, anyPack, anyUnpack } from '@bufbuild/protobuf/wkt';
import {
  ArrayList,
  boolType,
  bytesType,
  type CelType,
  Double,
  Duration,
  doubleType,
  durationType,
  dynType,
  fail,
  HashMap,
  intType,
  ListValue,
  listType,
  MapValue,
  mapType,
  StructValue,
  stringType,
  structType,
  Timestamp,
  type TypeProvider,
  timestampType,
  toJson,
  Uint,
  uintType,
  type Value,
  wrapperType,
} from '#cel/index.ts';
import { isInteger, toInteger } from '#cel/values/integer.ts';
import type { Json } from '#machinery/meta.ts';

/** Protobuf messages as values of CEL: enough of them for the specification's tests. */

const google = (name: string): string => `google.protobuf.${name}`;

/** Messages that are values of their own in CEL. */
const wellKnown: ReadonlyMap<string, CelType> = new Map([
  [google('BoolValue'), wrapperType(boolType)],
  [google('BytesValue'), wrapperType(bytesType)],
  [google('DoubleValue'), wrapperType(doubleType)],
  [google('FloatValue'), wrapperType(doubleType)],
  [google('Int32Value'), wrapperType(intType)],
  [google('Int64Value'), wrapperType(intType)],
  [google('UInt32Value'), wrapperType(uintType)],
  [google('UInt64Value'), wrapperType(uintType)],
  [google('StringValue'), wrapperType(stringType)],
  [google('Duration'), durationType],
  [google('Timestamp'), timestampType],
  [google('Any'), { kind: 'any', name: google('Any'), parameters: [] }],
  [google('Value'), dynType],
  [google('ListValue'), listType(dynType)],
  [google('Struct'), mapType(stringType, dynType)],
]);

export class MessageProvider implements TypeProvider {
  readonly registry: Registry;

  constructor(registry: Registry) {
    this.registry = registry;
  }

  findType(name: string): CelType | undefined {
    return wellKnown.get(name) ?? (this.registry.getMessage(name) === undefined ? undefined : structType(name));
  }

  findField(typeName: string, name: string): CelType | undefined {
    const field = this.#fieldOf(typeName, name);
    return field === undefined ? undefined : fieldType(field);
  }

  #fieldOf(typeName: string, name: string): DescField | undefined {
    const own = this.registry.getMessage(typeName)?.fields.find((field) => field.name === name);
    if (own !== undefined) return own;
    const extension = this.registry.getExtension(name);
    // An extension describes itself as a field does.
    return extension?.extendee.typeName === typeName ? (extension as unknown as DescField) : undefined;
  }

  findConstant(name: string): { readonly type: CelType; readonly value: Value } | undefined {
    const dot = name.lastIndexOf('.');
    const own = this.registry.getEnum(name.slice(0, dot))?.values.find((value) => value.name === name.slice(dot + 1));
    return own === undefined ? undefined : { type: intType, value: own.number };
  }

  construct(typeName: string, fields: ReadonlyMap<string, Value>): Value {
    const desc = this.registry.getMessage(typeName);
    if (desc === undefined) return fail(`unknown type: ${typeName}`);
    const message = reflect(desc, create(desc));
    for (const [name, value] of fields) {
      const field = desc.fields.find((candidate) => candidate.name === name) ?? fail(`no such field '${name}'`);
      this.#set(message, field, value);
    }
    return this.valueOf(message);
  }

  #set(message: ReflectMessage, field: DescField, value: Value): void {
    if (value === null && !takesNull(field)) return;
    switch (field.fieldKind) {
      case 'list': {
        if (!(value instanceof ListValue)) return fail('unsupported field type');
        const list = message.get(field) as ReflectList;
        for (const item of value) list.add(this.#native(field, item));
        return;
      }
      case 'map': {
        if (!(value instanceof MapValue)) return fail('unsupported field type');
        for (const key of value.keys()) {
          const own = value.get(key)!;
          if (own === null && field.mapKind === 'message' && !isDynamic(field.message)) continue;
          (message.get(field) as ReflectMap).set(scalarOf(field.mapKey, key), this.#native(field, own));
        }
        return;
      }
      default:
        message.set(field, this.#native(field, value) as never);
    }
  }

  /** What stands for a value in a field, or in the lists and maps of one. */
  #native(field: DescField, value: Value): unknown {
    if (field.message !== undefined) return reflect(field.message, this.#messageOf(field.message, value));
    if (field.enum !== undefined) return isInteger(value) ? int32(value) : fail('unsupported field type');
    return scalarOf(field.scalar!, value);
  }

  #messageOf(desc: DescMessage, value: Value): Message {
    const isWhole = ['Any', 'Value', 'Struct'].some((name) => desc.typeName === google(name));
    if (value instanceof MessageValue && !isWhole) {
      return value.message.desc.typeName === desc.typeName ? value.message.message : fail('unsupported field type');
    }
    const made = reflect(desc, create(desc));
    const set = (name: string, own: unknown): void => {
      made.set(desc.fields.find((field) => field.name === name)!, own as never);
    };
    switch (desc.typeName) {
      case google('Any'):
        return this.#pack(value);
      case google('Timestamp'):
      case google('Duration'): {
        if (!(value instanceof Timestamp || value instanceof Duration)) return fail('unsupported field type');
        const seconds = value instanceof Timestamp ? floorDivide(value.nanos) : value.nanos / 1_000_000_000n;
        set('seconds', seconds);
        set('nanos', Number(value.nanos - seconds * 1_000_000_000n));
        return made.message;
      }
      case google('Value'):
      case google('ListValue'):
      case google('Struct'):
        return this.#jsonMessage(desc, jsonOf(value));
      default: {
        const [only] = desc.fields;
        if (!wellKnown.has(desc.typeName) || only?.scalar === undefined) return fail('unsupported field type');
        set('value', scalarOf(only.scalar, value));
        return made.message;
      }
    }
  }

  #pack(value: Value): Message {
    if (value instanceof MessageValue) return anyPack(value.message.desc, value.message.message);
    const names = { boolean: 'BoolValue', string: 'StringValue', number: 'Int64Value', bigint: 'Int64Value' };
    const name =
      names[typeof value as keyof typeof names] ??
      (value instanceof Double
        ? 'DoubleValue'
        : value instanceof Uint
          ? 'UInt64Value'
          : value instanceof Uint8Array
            ? 'BytesValue'
            : value instanceof Timestamp
              ? 'Timestamp'
              : value instanceof Duration
                ? 'Duration'
                : value instanceof ListValue
                  ? 'ListValue'
                  : value instanceof MapValue
                    ? 'Struct'
                    : 'Value');
    const desc = this.registry.getMessage(google(name))!;
    return anyPack(desc, this.#messageOf(desc, value));
  }

  #jsonMessage(desc: DescMessage, json: Json): Message {
    const made = reflect(desc, create(desc));
    const field = (name: string): DescField => desc.fields.find((own) => own.name === name)!;
    const valueDesc = this.registry.getMessage(google('Value'))!;
    const inner = (own: Json) => reflect(valueDesc, this.#jsonMessage(valueDesc, own));
    const nested = (name: string) => {
      const own = field(name);
      made.set(own, reflect(own.message!, this.#jsonMessage(own.message!, json)) as never);
    };
    if (desc.typeName === google('ListValue')) {
      if (!Array.isArray(json)) return fail('unsupported field type');
      for (const item of json as readonly Json[])
        (made.get(field('values')) as unknown as ReflectList).add(inner(item));
    } else if (desc.typeName === google('Struct')) {
      if (typeof json !== 'object' || json === null || Array.isArray(json)) return fail('unsupported field type');
      for (const [key, own] of Object.entries(json)) {
        (made.get(field('fields')) as unknown as ReflectMap).set(key, inner(own as Json));
      }
    } else if (json === null) made.set(field('null_value'), 0 as never);
    else if (typeof json === 'boolean') made.set(field('bool_value'), json as never);
    else if (typeof json === 'string') made.set(field('string_value'), json as never);
    else if (typeof json === 'number' || typeof json === 'bigint')
      made.set(field('number_value'), Number(json) as never);
    else nested(Array.isArray(json) ? 'list_value' : 'struct_value');
    return made.message;
  }

  /** A message as CEL sees it: its own value where it has one. */
  valueOf(message: ReflectMessage): Value {
    const { desc } = message;
    const get = (name: string): unknown => message.get(desc.fields.find((field) => field.name === name)!);
    switch (desc.typeName) {
      case google('Any'): {
        const any = message.message as Any;
        if (any.typeUrl === '') return fail('conversion error: got empty Any');
        const inner = anyUnpack(any, this.registry);
        if (inner === undefined) return fail(`unknown type: ${any.typeUrl}`);
        return this.valueOf(reflect(this.registry.getMessage(inner.$typeName)!, inner));
      }
      case google('Timestamp'):
        return new Timestamp((get('seconds') as bigint) * 1_000_000_000n + BigInt(get('nanos') as number));
      case google('Duration'):
        return new Duration((get('seconds') as bigint) * 1_000_000_000n + BigInt(get('nanos') as number));
      case google('Struct'):
      case google('ListValue'):
      case google('Value'):
        return this.#jsonValue(message);
      default:
        return wellKnown.has(desc.typeName)
          ? valueOfScalar(desc.fields[0]!.scalar!, get('value'))
          : new MessageValue(this, message);
    }
  }

  #jsonValue(message: ReflectMessage): Value {
    const { desc } = message;
    if (desc.typeName === google('ListValue')) {
      const items = message.get(desc.fields[0] as never) as Iterable<ReflectMessage>;
      return new ArrayList([...items].map((item) => this.#jsonValue(item)));
    }
    if (desc.typeName === google('Struct')) {
      const entries = message.get(desc.fields[0] as never) as ReadonlyMap<string, ReflectMessage>;
      return new HashMap([...entries].map(([key, own]) => [key, this.#jsonValue(own)] as const));
    }
    const set = desc.fields.find((field) => message.isSet(field));
    if (set === undefined || set.name === 'null_value') return null;
    const own = message.get(set);
    if (set.message !== undefined) return this.#jsonValue(own as ReflectMessage);
    return typeof own === 'number' ? new Double(own) : (own as Value);
  }

  /** A field's value, its default where it is not set. Undefined: there is no such field. */
  read(message: ReflectMessage, name: string): Value | undefined {
    const field = this.#fieldOf(message.desc.typeName, name);
    if (field === undefined) return undefined;
    const extension = this.registry.getExtension(name);
    if (extension !== undefined) {
      const own: unknown = getExtension(message.message as never, extension as never);
      if (field.fieldKind === 'list') {
        return new ArrayList(
          (own as readonly unknown[]).map((item) =>
            this.#valueIn(field, field.message === undefined ? item : reflect(field.message, item as Message)),
          ),
        );
      }
      return this.#valueIn(field, field.message === undefined ? own : reflect(field.message, own as Message));
    }
    const value: unknown = message.get(field);
    if (field.fieldKind === 'list') {
      return new ArrayList([...(value as Iterable<unknown>)].map((item) => this.#valueIn(field, item)));
    }
    if (field.fieldKind === 'map') {
      const entries = [...(value as ReadonlyMap<unknown, unknown>)];
      return new HashMap(
        entries.map(([key, own]) => [valueOfScalar(field.mapKey, key), this.#valueIn(field, own)] as const),
      );
    }
    if (field.message !== undefined && !message.isSet(field)) {
      const type = wellKnown.get(field.message.typeName);
      if (type?.kind === 'wrapper' || type?.kind === 'dyn' || type?.kind === 'any') return null;
    }
    return this.#valueIn(field, value);
  }

  #valueIn(field: DescField, value: unknown): Value {
    if (field.message !== undefined) return this.valueOf(value as ReflectMessage);
    if (field.enum !== undefined) return field.enum.typeName === google('NullValue') ? null : (value as number);
    return valueOfScalar(field.scalar!, value);
  }

  has(message: ReflectMessage, name: string): boolean | undefined {
    const field = this.#fieldOf(message.desc.typeName, name);
    const extension = this.registry.getExtension(name);
    if (field !== undefined && extension !== undefined) {
      return hasExtension(message.message as never, extension as never);
    }
    return field === undefined ? undefined : message.isSet(field);
  }
}

class MessageValue extends StructValue {
  readonly type: CelType;
  readonly message: ReflectMessage;
  readonly #provider: MessageProvider;

  constructor(provider: MessageProvider, message: ReflectMessage) {
    super();
    this.#provider = provider;
    this.message = message;
    this.type = structType(message.desc.typeName);
  }

  get isZero(): boolean {
    return this.message.desc.fields.every((field) => !this.message.isSet(field));
  }

  get(field: string): Value | undefined {
    return this.#provider.read(this.message, field);
  }

  has(field: string): boolean | undefined {
    return this.#provider.has(this.message, field);
  }

  equals(other: Value): boolean {
    if (!(other instanceof MessageValue) || other.type.name !== this.type.name) return false;
    const { registry } = this.#provider;
    const options = { registry, unpackAny: true, extensions: true, unknown: true };
    return equals(this.message.desc, this.message.message, other.message.message, options);
  }
}

function fieldType(field: DescField): CelType {
  switch (field.fieldKind) {
    case 'list':
      return listType(singleType(field));
    case 'map':
      return mapType(scalarType(field.mapKey), singleType(field));
    default:
      return singleType(field);
  }
}

function singleType(field: DescField): CelType {
  if (field.message !== undefined) return wellKnown.get(field.message.typeName) ?? structType(field.message.typeName);
  return field.enum !== undefined ? intType : scalarType(field.scalar!);
}

function scalarType(scalar: ScalarType): CelType {
  switch (scalar) {
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return doubleType;
    case ScalarType.BOOL:
      return boolType;
    case ScalarType.STRING:
      return stringType;
    case ScalarType.BYTES:
      return bytesType;
    case ScalarType.UINT32:
    case ScalarType.UINT64:
    case ScalarType.FIXED32:
    case ScalarType.FIXED64:
      return uintType;
    default:
      return intType;
  }
}

function valueOfScalar(scalar: ScalarType, value: unknown): Value {
  const { kind } = scalarType(scalar);
  if (kind === 'double') return new Double(value as number);
  if (kind === 'uint') return new Uint(BigInt(value as number | bigint));
  return typeof value === 'bigint' ? toInteger(value) : (value as Value);
}

const int32 = (value: number | bigint): number =>
  value >= -(2 ** 31) && value < 2 ** 31 ? Number(value) : fail('range error: int32');

/** @throws Failure when the value is of another type, or too large for the field. */
function scalarOf(scalar: ScalarType, value: Value): unknown {
  switch (scalar) {
    case ScalarType.DOUBLE:
      return value instanceof Double ? value.value : fail('unsupported field type');
    case ScalarType.FLOAT:
      return value instanceof Double ? toFloat(value.value) : fail('unsupported field type');
    case ScalarType.BOOL:
      return typeof value === 'boolean' ? value : fail('unsupported field type');
    case ScalarType.STRING:
      return typeof value === 'string' ? value : fail('unsupported field type');
    case ScalarType.BYTES:
      return value instanceof Uint8Array ? value : fail('unsupported field type');
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      if (!(value instanceof Uint)) return fail('unsupported field type');
      return value.value < 2n ** 32n ? Number(value.value) : fail('range error: uint32');
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return value instanceof Uint ? value.value : fail('unsupported field type');
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return isInteger(value) ? BigInt(value) : fail('unsupported field type');
    default:
      return isInteger(value) ? int32(value) : fail('unsupported field type');
  }
}

/** Beyond the range of 32 bits there is only infinity. */
const toFloat = (value: number): number => Math.fround(value);

const floorDivide = (nanos: bigint): bigint =>
  nanos >= 0n ? nanos / 1_000_000_000n : -((-nanos + 999_999_999n) / 1_000_000_000n);

const isDynamic = (desc: DescMessage | undefined): boolean =>
  desc !== undefined && (desc.typeName === google('Value') || desc.typeName === google('Any'));

/** Setting a field to null leaves most of them alone; a dynamic one holds it. */
function takesNull(field: DescField): boolean {
  if (field.fieldKind === 'list' || field.fieldKind === 'map' || field.message === undefined) return true;
  return isDynamic(field.message) || ['Struct', 'ListValue'].includes(field.message.typeName.slice(16));
}

/** As JSON is: integers that a double does not hold become text. */
function jsonOf(value: Value): Json {
  if (value instanceof Uint || isInteger(value)) {
    const amount = value instanceof Uint ? value.value : BigInt(value);
    return amount > 2n ** 53n - 1n || amount < -(2n ** 53n - 1n) ? String(amount) : Number(amount);
  }
  if (value instanceof ListValue) return [...value].map(jsonOf);
  if (value instanceof MapValue) {
    return Object.fromEntries(
      [...value.keys()].map((key) => {
        if (typeof key !== 'string') return fail('bad key type');
        return [key, jsonOf(value.get(key)!)];
      }),
    );
  }
  if (!(value instanceof MessageValue)) return toJson(value);
  return messageToJson(value.message.desc, value.message.message) as Json;
}
