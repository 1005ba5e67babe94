import { validateObjectMeta } from '#kinds/validation/object-meta.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import type { Json, JsonObject, ObjectMeta } from '#machinery/meta.ts';
import type { StructuralNode } from './node.ts';

/** What is wrong with objects inside an object: each has an apiVersion, a kind and proper metadata. */
export function validateEmbedded(value: Json, node: StructuralNode, path = ''): readonly FieldError[] {
  if (!node.within.embedded || value === null || typeof value !== 'object') return [];
  if (Array.isArray(value)) {
    const { items } = node;
    if (items === undefined) return [];
    return (value as readonly Json[]).flatMap((item, index) => validateEmbedded(item, items, `${path}[${index}]`));
  }
  const object = value as JsonObject;
  const own = node.embedded && path !== '' ? validateRoot(object, path) : [];
  return [
    ...own,
    ...Object.keys(object).flatMap((name) => {
      const inner = node.properties.get(name) ?? node.additional;
      return typeof inner === 'object'
        ? validateEmbedded(object[name]!, inner, path === '' ? name : `${path}.${name}`)
        : [];
    }),
  ];
}

function validateRoot(object: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of ['apiVersion', 'kind'] as const) {
    if (object[field] === undefined) errors.push(fieldError.required(`${path}.${field}`));
    else if (object[field] === '') errors.push(fieldError.invalid(`${path}.${field}`, '', 'must not be empty'));
  }
  const metadata = object['metadata'];
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) return errors;
  const meta = metadata as unknown as ObjectMeta;
  // A template has no name yet, and whether its kind is namespaced nobody here knows.
  const isNamespaced = (meta.namespace ?? '') !== '';
  const named = (meta.name ?? '') === '' && (meta.generateName ?? '') === '' ? { ...meta, name: 'unnamed' } : meta;
  for (const error of validateObjectMeta(named, {
    namespaced: isNamespaced,
    nameRule: 'pathSegment',
    finalizerRule: 'any',
  }))
    errors.push({ ...error, path: `${path}.${error.path}` });
  return errors;
}
