import { schemaNamed } from '#kinds/schemas.ts';
import type { Field, ObjectSchema, ScalarSchema, Schema } from '#machinery/schema.ts';
import {
  customDefinition,
  customListDefinition,
  customListName,
  type MetaReferences,
  type Published,
} from './custom.ts';
import type { Dialect } from './dialect.ts';
import enums from './enums.json' with { type: 'json' };
import { publishedName } from './names.ts';

export type OpenApiObject = { [key: string]: unknown };

/** Words for fields, by type and field name: `explain` shows them. The server works without any. */
export type Descriptions = (type: string, field?: string) => string | undefined;

/** What fields of a few words may say, by published type and field, as upstream publishes it. */
const words = enums as Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

/** A value, or the values that it holds, with the words that they may be. */
function withWords(value: OpenApiObject, allowed: readonly string[] | undefined): OpenApiObject {
  if (allowed === undefined) return value;
  for (const inner of ['items', 'additionalProperties'])
    if (value[inner] !== undefined) return { ...value, [inner]: { ...(value[inner] as object), enum: allowed } };
  return { ...value, enum: allowed };
}

/** Types of one document, collected as they are referred to. */
export class TypeCollector {
  readonly #dialect: Dialect;
  readonly #describe: Descriptions;
  readonly definitions = new Map<string, OpenApiObject>();

  constructor(dialect: Dialect, describe: Descriptions) {
    this.#dialect = dialect;
    this.#describe = describe;
  }

  /** A reference to a type, which from now on is part of the document. */
  reference(schema: ObjectSchema): OpenApiObject {
    return this.#define(publishedName(schema.name), () => this.#object(schema));
  }

  /** A custom kind, whose definition says what is published of it. */
  customReference(published: Published): OpenApiObject {
    return this.#define(published.name, () => customDefinition(published, this.#metaReferences()));
  }

  customListReference(published: Published): OpenApiObject {
    const item = this.customReference(published);
    const listMeta = this.reference(schemaNamed('meta.v1.ListMeta'));
    const name = customListName(published);
    return this.#define(name, () => customListDefinition(published, item, listMeta, this.#metaReferences()));
  }

  #metaReferences(): MetaReferences {
    return { version: this.#dialect.version, objectMeta: this.reference(schemaNamed('meta.v1.ObjectMeta')) };
  }

  #define(name: string, make: () => OpenApiObject): OpenApiObject {
    if (!this.definitions.has(name)) {
      const definition: OpenApiObject = {};
      // Registered before it is filled: types refer to themselves.
      this.definitions.set(name, definition);
      Object.assign(definition, make());
    }
    return { $ref: `${this.#dialect.referencePrefix}${name}` };
  }

  /** A patch, whose form its content type tells. */
  patch(): OpenApiObject {
    return this.#named('meta.v1.Patch', { type: 'object' });
  }

  #object(schema: ObjectSchema): OpenApiObject {
    const properties: OpenApiObject = {};
    const metadata = schema.fields.get('metadata')?.schema;
    const isList = metadata?.type === 'object' && metadata.name === 'meta.v1.ListMeta';
    const required: string[] = [];
    for (const field of schema.fields.values()) {
      const isItems = isList && field.name === 'items';
      properties[field.name] = this.#property(schema.name, field, isItems);
      if (field.required) required.push(field.name);
    }
    const description = this.#describe(schema.name);
    return {
      ...(description === undefined ? {} : { description }),
      type: 'object',
      ...(schema.fields.size === 0 ? {} : { properties }),
      ...(required.length === 0 ? {} : { required }),
      ...(schema.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
    };
  }

  /** `isItems`: the items of a list of objects, which nobody merges. */
  #property(owner: string, field: Field, isItems: boolean): OpenApiObject {
    const { schema, patchStrategies, patchMergeKey } = field;
    const description = this.#describe(owner, field.name);
    const value = withWords(this.value(schema), words[publishedName(owner)]?.[field.name]);
    // In OpenAPI 3 nothing may stand beside a reference.
    const isWrapped = description !== undefined && '$ref' in value && this.#dialect.version === 3;
    return {
      ...(description === undefined ? {} : { description }),
      ...(isWrapped ? { allOf: [value] } : value),
      ...(schema.type === 'list' && !isItems ? listExtensions(schema) : {}),
      ...(patchMergeKey === undefined ? {} : { 'x-kubernetes-patch-merge-key': patchMergeKey }),
      ...(patchStrategies.length === 0 ? {} : { 'x-kubernetes-patch-strategy': patchStrategies.join(',') }),
    };
  }

  value(schema: Schema): OpenApiObject {
    switch (schema.type) {
      case 'object':
        return this.reference(schema);
      case 'list':
        return { type: 'array', items: this.value(schema.items) };
      case 'map':
        return {
          type: 'object',
          additionalProperties: this.value(schema.values),
          ...(schema.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
        };
      default:
        return this.#scalar(schema);
    }
  }

  #scalar({ type, message = '' }: ScalarSchema): OpenApiObject {
    switch (type) {
      case 'string':
      case 'boolean':
        return { type };
      case 'int32':
      case 'int64':
        return { type: 'integer', format: type };
      case 'double':
        return { type: 'number', format: 'double' };
      case 'bytes':
        return { type: 'string', format: 'byte' };
      case 'time':
        return this.#named('meta.v1.Time', { type: 'string', format: 'date-time' });
      case 'microTime':
        return this.#named('meta.v1.MicroTime', { type: 'string', format: 'date-time' });
      case 'quantity':
        return this.#named(
          'resource.Quantity',
          this.#dialect.version === 2 ? { type: 'string' } : { oneOf: [{ type: 'string' }, { type: 'number' }] },
        );
      case 'intOrString':
        return this.#named(
          'intstr.IntOrString',
          this.#dialect.version === 2
            ? { type: 'string', format: 'int-or-string' }
            : { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] },
        );
      case 'any':
        return message === ''
          ? { type: 'object' }
          : this.#named(message, /JSON/.test(message) ? {} : { type: 'object' });
    }
  }

  #named(name: string, definition: OpenApiObject): OpenApiObject {
    const published = publishedName(name);
    const description = this.#describe(name);
    if (!this.definitions.has(published))
      this.definitions.set(published, { ...(description === undefined ? {} : { description }), ...definition });
    return { $ref: `${this.#dialect.referencePrefix}${published}` };
  }
}

function listExtensions({ listType, keys }: Extract<Schema, { type: 'list' }>): OpenApiObject {
  return { 'x-kubernetes-list-type': listType, ...(keys.length === 0 ? {} : { 'x-kubernetes-list-map-keys': keys }) };
}
