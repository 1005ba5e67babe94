import type { JSONSchemaProps } from '#kinds/generated/types/apiextensions_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import type { Json, JsonObject } from '#machinery/meta.ts';
import { validateEmbedded } from '../structural/embedded.ts';
import { isSchema, type StructuralNode } from '../structural/node.ts';
import { prune } from '../structural/prune.ts';
import { validateValue } from '../structural/validate.ts';

/** Defaults have to be what their own place allows. */
export function validateDefaults(root: StructuralNode, path: string): FieldError[] {
  return validateWithin({ ...root, embedded: true, within: { ...root.within, embedded: true } }, path);
}

function validateWithin(node: StructuralNode, path: string): FieldError[] {
  if (!node.within.defaults) return [];
  const errors = node.default === undefined ? [] : validateDefault(node.default, node, `${path}.default`);
  for (const [name, inner] of node.properties) errors.push(...validateWithin(inner, `${path}.properties[${name}]`));
  if (node.items !== undefined) errors.push(...validateWithin(node.items, `${path}.items`));
  if (typeof node.additional === 'object')
    errors.push(...validateWithin(node.additional, `${path}.additionalProperties`));
  return errors;
}

function validateDefault(value: Json, node: StructuralNode, path: string): FieldError[] {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const own = isObject && node.embedded ? withoutObjectFields(value as JsonObject) : value;
  const isPruned = isObject && !equalValues(prunedDefault(own, node), own);
  const errors = isPruned ? [fieldError.invalid(path, value, 'must not have unknown fields')] : [];
  const inObjects = validateEmbedded(value, node, path);
  if (inObjects.length > 0) return [...errors, ...inObjects];
  return [
    ...errors,
    ...validateValue(value, asForDefaults(node.props)).map((error) => ({
      ...error,
      path: error.path === '<nil>' ? path : `${path}.${error.path}`,
    })),
  ];
}

/** Upstream does not look at the type of a default that is a number or a text: what is only set there is anything. */
function asForDefaults(props: JSONSchemaProps): JSONSchemaProps {
  const { 'x-kubernetes-int-or-string': _, properties, items, additionalProperties, ...rest } = props;
  const inner = (schema: unknown): JSONSchemaProps => asForDefaults(schema as JSONSchemaProps);
  return {
    ...rest,
    ...(properties === undefined
      ? {}
      : { properties: Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, inner(one)])) }),
    ...(isSchema(items) ? { items: inner(items) } : {}),
    ...(isSchema(additionalProperties) ? { additionalProperties: inner(additionalProperties) } : {}),
  } as JSONSchemaProps;
}

/** What every object has, whatever its schema says. */
function withoutObjectFields(object: JsonObject): JsonObject {
  const kept = Object.entries(object).filter(([name]) => !['apiVersion', 'kind', 'metadata'].includes(name));
  return Object.fromEntries(kept) as JsonObject;
}

function prunedDefault(value: Json, node: StructuralNode): Json {
  const inner = { ...node, embedded: false };
  const holder = { ...node, properties: new Map([['value', inner]]), preserveUnknown: false, additional: undefined };
  return (prune({ value }, holder).value as { readonly value: Json }).value;
}
