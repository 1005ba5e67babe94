import type { Json } from './meta.ts';
import type { Schema } from './schema.ts';

/** Names that a Go decoder gives to types and values when they do not fit. */

/** What a Go list or map holds; undefined where its type has a name of its own. */
export function elementType(type: string): string | undefined {
  return /^(?:\[\]|map\[[^\]]*\])\*?(.*)$/.exec(type)?.[1];
}

/** What Go calls a JSON value of the wrong type; with the number itself where a number does not fit. */
export function jsonType(value: Json, showNumber = false): string {
  if (Array.isArray(value)) return 'array';
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'number':
    case 'bigint':
      return showNumber ? `number ${value}` : 'number';
    default:
      return 'object';
  }
}

/** `core.v1.PodSpec` is `PodSpec` where Go names a struct. */
export function goTypeName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

export function goType(schema: Schema): string {
  switch (schema.type) {
    case 'object':
      return schema.name.split('.').slice(-2).join('.');
    case 'list':
      return `[]${goType(schema.items)}`;
    case 'map':
      return `map[string]${goType(schema.values)}`;
    case 'boolean':
      return 'bool';
    case 'double':
      return 'float64';
    case 'bytes':
      return '[]uint8';
    case 'any':
      return schema.message?.split('.').slice(-2).join('.') ?? 'any';
    default:
      return schema.type;
  }
}
