import type { JsonObject } from '#machinery/meta.ts';

/** As much of an OpenAPI v3 schema as tells about fields. */
export interface FieldSchema {
  readonly $ref?: string;
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly required?: readonly string[];
  readonly items?: FieldSchema;
  readonly additionalProperties?: FieldSchema | boolean;
  readonly allOf?: readonly FieldSchema[];
  readonly enum?: readonly unknown[];
  readonly 'x-kubernetes-group-version-kind'?: readonly {
    readonly group: string;
    readonly version: string;
    readonly kind: string;
  }[];
}

export type Schemas = Readonly<Record<string, FieldSchema>>;

export function schemasOf(document: JsonObject): Schemas {
  const { components } = document as { readonly components?: { readonly schemas?: Schemas } };
  return components?.schemas ?? {};
}

const refName = (ref: string): string => ref.slice(ref.lastIndexOf('/') + 1);

/** The reference that a schema is, directly or wrapped to carry a description. */
export function referenceOf({ $ref, allOf, properties }: FieldSchema): string | undefined {
  if ($ref !== undefined) return refName($ref);
  return allOf?.length === 1 && properties === undefined ? referenceOf(allOf[0]!) : undefined;
}

/** What a reference stands for; a description beside it wins over its own. */
export function resolved(schema: FieldSchema, schemas: Schemas): FieldSchema {
  const name = referenceOf(schema);
  return name === undefined ? schema : (schemas[name] ?? {});
}

/** `[]Container`, `map[string]string`, `integer`. */
export function typeName(schema: FieldSchema, schemas: Schemas): string {
  if (schema.items !== undefined) return `[]${typeName(schema.items, schemas)}`;
  if (typeof schema.additionalProperties === 'object')
    return `map[string]${typeName(schema.additionalProperties, schemas)}`;
  const reference = referenceOf(schema);
  if (reference !== undefined) {
    const { type } = schemas[reference] ?? {};
    return type !== undefined && type !== 'object' ? type : reference.slice(reference.lastIndexOf('.') + 1);
  }
  return schema.type === undefined || schema.type === 'object' ? 'Object' : schema.type;
}

/** The schema whose fields are those of `schema`, of its items, or of its values. */
export function holderOf(
  schema: FieldSchema,
  schemas: Schemas,
): { readonly schema: FieldSchema; readonly reference: string | undefined } {
  const target = resolved(schema, schemas);
  if (target.items !== undefined) return holderOf(target.items, schemas);
  if (typeof target.additionalProperties === 'object') return holderOf(target.additionalProperties, schemas);
  return { schema: target, reference: referenceOf(schema) };
}
