import type {
  Field,
  GoNames,
  ListSchema,
  MapSchema,
  ObjectSchema,
  ScalarSchema,
  ScalarType,
  Schema,
} from '#machinery/schema.ts';
import structure from './generated/structure.json' with { type: 'json' };

/** What generated/structure.json says of a field, where it departs from the plain case. */
interface FieldFlags {
  /** Required. */
  readonly r?: 1;
  /** List type: `set` or `map`; absent means atomic. */
  readonly l?: string;
  /** Keys of a `map` list. */
  readonly k?: readonly string[];
  /** Patch strategies, separated by commas. */
  readonly p?: string;
  /** Patch merge key. */
  readonly m?: string;
  /** The map or object is owned as a whole (1), or never so, whatever its type says (0). */
  readonly a?: 0 | 1;
  /** A zero value is left out (`z`) or written (`w`). */
  readonly n?: 'z' | 'w' | 'p';
  /** Numbers of protobuf messages around the field. */
  readonly i?: readonly number[];
  /** Lists are wrapped in a protobuf message. */
  readonly x?: 1;
  /** Go's structs around the field and its type. */
  readonly g?: string;
}

type FieldRow = readonly [type: string, number: number, flags?: FieldFlags];

interface TypeRow {
  readonly f: Readonly<Record<string, FieldRow>>;
  readonly a?: 1;
}

const rows = structure as unknown as Readonly<Record<string, TypeRow>>;
const plain: FieldFlags = {};

/** A type's schema, whose fields are read from the table when somebody first asks. */
class NamedSchema implements ObjectSchema {
  readonly type = 'object';
  readonly name: string;
  readonly atomic: boolean;
  readonly preserveUnknown = false;
  #fields: ReadonlyMap<string, Field> | undefined;

  constructor(name: string, atomic: boolean) {
    this.name = name;
    this.atomic = atomic;
  }

  get fields(): ReadonlyMap<string, Field> {
    this.#fields ??= fieldsOf(this.name, rows[this.name]!);
    return this.#fields;
  }
}

/** Keys of list items that are left out when they are zero, and stand for that all the same. */
const keyDefaults: Readonly<Record<string, string>> = { 'core.v1.LocalObjectReference.name': '' };

const presences = { w: 'always', z: 'nonZero', p: 'null' } as const;

/** A field whose schema is resolved on first use, because types refer to themselves. */
class TableField implements Field {
  readonly name: string;
  readonly required: boolean;
  readonly number: number;
  readonly presence: Field['presence'];
  readonly keyDefault: string | undefined;
  readonly around: readonly number[];
  readonly wrapped: boolean;
  readonly patchStrategies: Field['patchStrategies'];
  readonly patchMergeKey: string | undefined;
  readonly #row: FieldRow;
  /** Whether the field says what the object is, which Go keeps in a struct of its own. */
  readonly #saysType: boolean;
  #schema: Schema | undefined;

  constructor(type: string, name: string, row: FieldRow) {
    const flags = row[2] ?? plain;
    this.name = name;
    this.required = flags.r === 1;
    this.number = row[1];
    this.presence = flags.n === undefined ? 'optional' : presences[flags.n];
    this.keyDefault = name === 'protocol' ? 'TCP' : keyDefaults[`${type}.${name}`];
    this.around = flags.i ?? nothing;
    this.wrapped = flags.x === 1;
    this.patchStrategies = flags.p === undefined ? nothing : (flags.p.split(',') as Field['patchStrategies']);
    this.patchMergeKey = flags.m;
    this.#row = row;
    this.#saysType = (name === 'apiVersion' || name === 'kind') && rows[type]?.f['metadata'] !== undefined;
  }

  get go(): GoNames | undefined {
    const text = this.#row[2]?.g;
    if (text === undefined) return this.#saysType ? typeMeta : undefined;
    const bar = text.indexOf('|');
    return { around: text.slice(0, bar).split('.').filter(Boolean), type: text.slice(bar + 1) };
  }

  get schema(): Schema {
    this.#schema ??= schemaOf(this.#row[0], this.#row[2] ?? plain);
    return this.#schema;
  }
}

const typeMeta: GoNames = { around: ['TypeMeta'], type: 'string' };
const nothing: readonly never[] = [];

function fieldsOf(type: string, row: TypeRow): ReadonlyMap<string, Field> {
  const fields = new Map<string, Field>();
  for (const name of Object.keys(row.f)) fields.set(name, new TableField(type, name, row.f[name]!));
  return fields;
}

const scalars = new Map<string, ScalarSchema>();
const objects = new Map<string, ObjectSchema>();
const scalarTypes: ReadonlySet<string> = new Set<ScalarType>([
  'string',
  'boolean',
  'int32',
  'int64',
  'double',
  'bytes',
  'time',
  'microTime',
  'quantity',
  'intOrString',
]);

function schemaOf(type: string, flags: FieldFlags): Schema {
  if (type.startsWith('[]')) return listOf(type.slice(2), flags);
  if (type.startsWith('{}')) {
    const map: MapSchema = { type: 'map', values: schemaOf(type.slice(2), plain), atomic: flags.a === 1 };
    return map;
  }
  if (scalarTypes.has(type) || type.startsWith('any:')) return scalarOf(type);
  return objectOf(type, flags.a);
}

function listOf(items: string, flags: FieldFlags): ListSchema {
  return {
    type: 'list',
    items: schemaOf(items, plain),
    listType: flags.l === 'map' || flags.l === 'set' ? flags.l : 'atomic',
    keys: flags.k ?? [],
  };
}

function scalarOf(type: string): ScalarSchema {
  let scalar = scalars.get(type);
  if (scalar === undefined) {
    scalar = type.startsWith('any:') ? anyScalar(type.slice('any:'.length)) : { type: type as ScalarType, message: '' };
    scalars.set(type, scalar);
  }
  return scalar;
}

function anyScalar(message: string): ScalarSchema {
  const inner = /^(.*\.JSONSchemaProps)Or/.exec(message)?.[1];
  if (inner === undefined) return { type: 'any', message };
  return {
    type: 'any',
    message,
    get inner(): ObjectSchema {
      return schemaNamed(inner);
    },
  };
}

function objectOf(name: string, atomicField?: 0 | 1): ObjectSchema {
  const row = rows[name];
  if (row === undefined) throw new Error(`no type named ${name}`);
  const atomic = (atomicField ?? row.a) === 1;
  const key = atomic ? `${name}!` : name;
  let schema = objects.get(key);
  if (schema === undefined) {
    schema = new NamedSchema(name, atomic);
    objects.set(key, schema);
  }
  return schema;
}

/**
 * The schema of a built-in type, for example `core.v1.Pod` or `meta.v1.DeleteOptions`. The same value at every call;
 * nothing is built before it is looked at. Throws on a name that the interface does not have.
 */
export function schemaNamed(name: string): ObjectSchema {
  return objectOf(name);
}

/** Whether the published interface has a type of this name. */
export function hasSchema(name: string): boolean {
  return Object.hasOwn(rows, name);
}
