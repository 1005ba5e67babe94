import type { Json, JsonObject } from '../meta.ts';
import { isObject } from '../patch/merge-patch.ts';
import type { Schema } from '../schema.ts';
import { memberSchema } from './path-steps.ts';

/**
 * Where a configuration does not have the types of its schema, in the words of upstream's typed values.
 * @param isClosed whether objects may have no fields but those of the schema.
 */
export function typeProblems(value: JsonObject, schema: Schema, isClosed = false): readonly string[] {
  const problems: string[] = [];
  visit(value, schema, '', { problems, isClosed });
  return problems;
}

/** Several problems as one message. */
export const inOneText = (problems: readonly string[]): string =>
  problems.length === 1 ? problems[0]! : `errors:\n  ${problems.join('\n  ')}`;

interface Findings {
  readonly problems: string[];
  readonly isClosed: boolean;
}

function visit(value: Json | undefined, schema: Schema, path: string, findings: Findings): void {
  if (value === null || value === undefined) return;
  const expect = (what: string): void => void findings.problems.push(`${path}: expected ${what}`);
  switch (schema.type) {
    case 'object':
    case 'map':
      if (isObject(value)) visitMembers(value, schema, path, findings);
      else expect(`map, got &{${goText(value)}}`);
      return;
    case 'list':
      if (!Array.isArray(value)) expect(`list, got &{${goText(value)}}`);
      else
        for (const [index, item] of value.entries()) visit(item as Json, schema.items, `${path}[${index}]`, findings);
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
      if (typeof value !== 'boolean') expect(`boolean, got &{${goText(value)}}`);
      return;
    default:
      return;
  }
}

function visitMembers(value: JsonObject, schema: Schema, path: string, findings: Findings): void {
  for (const key of Object.keys(value)) {
    if (findings.isClosed && schema.type === 'object' && !schema.fields.has(key)) {
      findings.problems.push(`${path}.${key}: field not declared in schema`);
    } else visit(value[key], memberSchema(schema, key).schema, `${path}.${key}`, findings);
  }
}

function goTypeOf(value: Json): string {
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'object') return 'map[string]interface {}';
  return typeof value === 'boolean' ? 'bool' : typeof value === 'string' ? 'string' : 'float64';
}

/** How Go's `%#v` prints the holder of a value that it did not expect. */
const goValue = (value: Json): string => `&value.valueUnstructured{Value:${goSyntax(value)}}`;

function goSyntax(value: Json): string {
  if (value === null) return 'interface {}(nil)';
  if (Array.isArray(value)) return `${goTypeOf(value)}{${value.map((item: Json) => goSyntax(item)).join(', ')}}`;
  if (typeof value !== 'object') return typeof value === 'string' ? JSON.stringify(value) : String(value);
  const members = Object.entries(value).map(([key, own]) => `${JSON.stringify(key)}:${goSyntax(own ?? null)}`);
  return `${goTypeOf(value)}{${members.sort().join(', ')}}`;
}

/** As Go's `%v` prints it. */
function goText(value: Json): string {
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map((item: Json) => goText(item)).join(' ')}]`;
  if (typeof value !== 'object') return String(value);
  const members = Object.entries(value).map(([key, own]) => `${key}:${goText(own ?? null)}`);
  return `map[${members.sort().join(' ')}]`;
}
