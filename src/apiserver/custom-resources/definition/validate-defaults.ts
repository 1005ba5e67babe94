import { equalValues } from '#machinery/equality.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import type { Json } from '#machinery/meta.ts';
import type { StructuralNode } from '../structural/node.ts';
import { prune } from '../structural/prune.ts';
import { validateValue } from '../structural/validate.ts';

/** Defaults have to be what their own place allows. */
export function validateDefaults(node: StructuralNode, path: string): FieldError[] {
  if (!node.within.defaults) return [];
  const errors = node.default === undefined ? [] : validateDefault(node.default, node, `${path}.default`);
  for (const [name, inner] of node.properties) errors.push(...validateDefaults(inner, `${path}.properties[${name}]`));
  if (node.items !== undefined) errors.push(...validateDefaults(node.items, `${path}.items`));
  if (typeof node.additional === 'object')
    errors.push(...validateDefaults(node.additional, `${path}.additionalProperties`));
  return errors;
}

function validateDefault(value: Json, node: StructuralNode, path: string): FieldError[] {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const isPruned = isObject && !node.embedded && !equalValues(prunedDefault(value, node), value);
  return [
    ...(isPruned ? [fieldError.invalid(path, value, 'must not have unknown fields')] : []),
    ...validateValue(value, node.props).map((error) => ({
      ...error,
      path: error.path === '<nil>' ? path : `${path}.${error.path}`,
    })),
  ];
}

function prunedDefault(value: Json, node: StructuralNode): Json {
  const holder = { ...node, properties: new Map([['value', node]]), preserveUnknown: false, additional: undefined };
  return (prune({ value }, holder).value as { readonly value: Json }).value;
}
