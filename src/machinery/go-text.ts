import type { Json } from './meta.ts';

/** The type that a decoded value of no known type has in Go. */
export function goType(value: Json): string {
  if (Array.isArray(value)) return '[]interface {}';
  switch (typeof value) {
    case 'object':
      return 'map[string]interface {}';
    case 'boolean':
      return 'bool';
    case 'string':
      return 'string';
    default:
      return Number.isInteger(Number(value)) ? 'int64' : 'float64';
  }
}

/** As Go's `%v` prints it. */
export function goText(value: Json | undefined): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return `[${value.map((item: Json) => goText(item)).join(' ')}]`;
  if (typeof value !== 'object') return String(value);
  const keys = Object.keys(value).sort();
  return `map[${keys.map((key) => `${key}:${goText((value as Record<string, Json>)[key])}`).join(' ')}]`;
}
