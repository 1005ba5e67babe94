import { schemaNamed } from '#kinds/schemas.ts';
import type { Json } from '#machinery/meta.ts';
import type { Field, ListSchema, ObjectSchema, ScalarSchema, ScalarType, Schema } from '#machinery/schema.ts';
import type { StructuralNode } from './node.ts';

/** The shape of a custom kind for everything that works on shapes: apply, ownership, strictness about duplicate keys. */
export function topologyOf(root: StructuralNode, name: string): ObjectSchema {
  return objectOf(root, name, { isRoot: true });
}

const untyped: ScalarSchema = { type: 'any', message: '' };
const text: ScalarSchema = { type: 'string', message: '' };

function schemaOf(node: StructuralNode): Schema {
  if (node.intOrString) return { type: 'intOrString', message: '' };
  switch (node.type) {
    case 'array':
      return listOf(node);
    case 'object':
      if (node.properties.size === 0 && !node.embedded && !node.preserveUnknown && node.additional !== undefined)
        return {
          type: 'map',
          values: node.additional === 'untyped' ? untyped : schemaOf(node.additional),
          atomic: node.atomic,
        };
      return objectOf(node, '', { isRoot: false });
    case '':
      return node.preserveUnknown && node.properties.size > 0 ? objectOf(node, '', { isRoot: false }) : untyped;
    default:
      return { type: scalarTypes[node.type] ?? 'any', message: '' };
  }
}

const scalarTypes: Readonly<Record<string, ScalarType>> = {
  string: 'string',
  boolean: 'boolean',
  integer: 'int64',
  number: 'double',
};

function listOf(node: StructuralNode): ListSchema {
  const items = node.items === undefined ? untyped : schemaOf(node.items);
  return { type: 'list', items, listType: node.listType, keys: node.listKeys };
}

function objectOf(node: StructuralNode, name: string, { isRoot }: { readonly isRoot: boolean }): ObjectSchema {
  let fields: ReadonlyMap<string, Field> | undefined;
  return {
    type: 'object',
    name,
    atomic: node.atomic,
    preserveUnknown: node.preserveUnknown,
    get fields() {
      fields ??= fieldsOf(node, isRoot || node.embedded);
      return fields;
    },
  };
}

function fieldsOf(node: StructuralNode, isObjectRoot: boolean): ReadonlyMap<string, Field> {
  const required = new Set(node.props.required ?? []);
  const fields = new Map<string, Field>();
  if (isObjectRoot) {
    fields.set('apiVersion', fieldOf('apiVersion', text));
    fields.set('kind', fieldOf('kind', text));
    fields.set('metadata', fieldOf('metadata', schemaNamed('meta.v1.ObjectMeta')));
  }
  for (const [name, inner] of node.properties) {
    if (fields.has(name)) continue;
    fields.set(name, fieldOf(name, schemaOf(inner), { required: required.has(name), keyDefault: inner.default }));
  }
  return fields;
}

function fieldOf(
  name: string,
  schema: Schema,
  { required = false, keyDefault }: { readonly required?: boolean; readonly keyDefault?: Json | undefined } = {},
): Field {
  return {
    name,
    schema,
    required,
    presence: 'optional',
    keyDefault: typeof keyDefault === 'object' ? undefined : keyDefault,
    number: 0,
    around: [],
    wrapped: false,
    patchStrategies: [],
    patchMergeKey: undefined,
  };
}
