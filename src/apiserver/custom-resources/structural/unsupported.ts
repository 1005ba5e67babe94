import type { JSONSchemaProps } from '#kinds/generated/types/apiextensions_v1.ts';
import { isSchema } from './node.ts';

/** Words that a structural schema has no place for. */
const words: readonly (readonly [word: keyof JSONSchemaProps, name: string])[] = [
  ['id', 'id'],
  ['$schema', 'schema'],
  ['$ref', '$ref'],
  ['patternProperties', 'patternProperties'],
  ['additionalItems', 'additionalItems'],
  ['definitions', 'definitions'],
  ['dependencies', 'dependencies'],
];

/** Why no structural schema can be made of a schema at all: the first reason, or nothing. */
export function unsupportedIn(props: JSONSchemaProps): string | undefined {
  const word = words.find(([name]) => isSaid(props[name]) || (name === 'additionalItems' && props[name] !== undefined));
  if (word !== undefined) return `OpenAPIV3Schema '${word[1]}' is not supported`;
  for (const inner of [props.not, ...(props.allOf ?? []), ...(props.anyOf ?? []), ...(props.oneOf ?? [])]) {
    const reason = inner === undefined ? undefined : unsupportedIn(inner);
    if (reason !== undefined) return reason;
  }
  if (props['x-kubernetes-preserve-unknown-fields'] === false)
    return "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined";
  const items: unknown = props.items;
  if (Array.isArray(items) && items.length > 0) return "OpenAPIV3Schema 'items' must be a schema, but is an array";
  for (const inner of [items, ...Object.values(props.properties ?? {}), props.additionalProperties as unknown]) {
    const reason = isSchema(inner) ? unsupportedIn(inner) : undefined;
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** Whether a word means something, as `{}` and the empty text do not. */
export function isSaid(value: unknown): boolean {
  if (value === undefined || value === '') return false;
  return typeof value !== 'object' || value === null || Object.keys(value).length > 0;
}
