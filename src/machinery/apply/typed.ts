import type { Json, JsonObject } from '../meta.ts';
import { isObject } from '../patch/merge-patch.ts';
import type { Schema } from '../schema.ts';
import { memberSchema } from './path-steps.ts';

/** Where a configuration does not have the types of its schema, in the words of upstream's typed values. */
export function typeProblems(value: JsonObject, schema: Schema): readonly string[] {
  const problems: string[] = [];
  visit(value, schema, '', problems);
  return problems;
}

function visit(value: Json | undefined, schema: Schema, path: string, problems: string[]): void {
  if (value === null || value === undefined) return;
  const expect = (what: string): void => void problems.push(`${path}: expected ${what}`);
  switch (schema.type) {
    case 'object':
    case 'map':
      if (!isObject(value)) expect(`map, got ${goValue(value)}`);
      else
        for (const key of Object.keys(value))
          visit(value[key], memberSchema(schema, key).schema, `${path}.${key}`, problems);
      return;
    case 'list':
      if (!Array.isArray(value)) expect(`list, got ${goValue(value)}`);
      else
        for (const [index, item] of value.entries()) visit(item as Json, schema.items, `${path}[${index}]`, problems);
      return;
    case 'int32':
    case 'int64':
    case 'double':
      if (typeof value !== 'number' && typeof value !== 'bigint')
        expect(`numeric (int or float), got ${goTypeOf(value)}`);
      return;
    case 'string':
      if (typeof value !== 'string') expect(`string, got ${goValue(value)}`);
      return;
    case 'boolean':
      if (typeof value !== 'boolean') expect(`boolean, got ${goValue(value)}`);
      return;
    default:
      return;
  }
}

function goTypeOf(value: Json): string {
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'object') return 'map[string]interface {}';
  return typeof value === 'boolean' ? 'bool' : typeof value === 'string' ? 'string' : 'float64';
}

/** How Go prints the holder of a value that it did not expect. */
function goValue(value: Json): string {
  const shown =
    typeof value === 'string' ? JSON.stringify(value) : typeof value === 'object' ? goTypeOf(value) : String(value);
  return `&value.valueUnstructured{Value:${shown}}`;
}
