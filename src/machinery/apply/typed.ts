import { goText, goType } from '../go-text.ts';
import { stringifyJson } from '../json.ts';
import type { Json, JsonObject } from '../meta.ts';
import { isObject } from '../patch/merge-patch.ts';
import type { ListSchema, ScalarSchema, Schema } from '../schema.ts';
import { defaultOf, memberSchema } from './path-steps.ts';

/**
 * Where a configuration does not have the types of its schema, in the words of upstream's typed values. Texts of times,
 * quantities and the like are not looked into: what is in them shows when the merged object is decoded.
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
  if (schema.type === 'object' || schema.type === 'map') {
    if (isObject(value)) visitMembers(value, schema, path, findings);
    else findings.problems.push(`${path}: expected map, got &{${goText(value)}}`);
  } else if (schema.type === 'list') {
    if (Array.isArray(value)) visitItems(value, schema, path, findings);
    else findings.problems.push(`${path}: expected list, got &{${goText(value)}}`);
  } else {
    const expected = scalarProblem(value, schema);
    if (expected !== undefined) findings.problems.push(`${path}: expected ${expected}`);
  }
}

function scalarProblem(value: Json, schema: ScalarSchema): string | undefined {
  const isNumber = typeof value === 'number' || typeof value === 'bigint';
  switch (schema.type) {
    case 'int32':
    case 'int64':
    case 'double':
      return isNumber ? undefined : `numeric (int or float), got ${goType(value)}`;
    case 'string':
    case 'bytes':
      return typeof value === 'string' ? undefined : `string, got ${goValue(value)}`;
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `boolean, got &{${goText(value)}}`;
    case 'quantity':
    case 'time':
    case 'microTime':
      return typeof value === 'object' ? `any scalar, got &{${goText(value)}}` : undefined;
    default:
      return schema.message === 'meta.v1.FieldsV1' && !isObject(value) ? `map, got &{${goText(value)}}` : undefined;
  }
}

/** Members in alphabetical order; one that the type does not know ends the search here, as upstream's does. */
function visitMembers(value: JsonObject, schema: Schema, path: string, findings: Findings): void {
  for (const key of Object.keys(value).sort()) {
    if (findings.isClosed && schema.type === 'object' && !schema.fields.has(key)) {
      findings.problems.push(`${path}.${key}: field not declared in schema`);
      return;
    }
    visit(value[key], memberSchema(schema, key).schema, `${path}.${key}`, findings);
  }
}

function visitItems(list: readonly Json[], schema: ListSchema, path: string, findings: Findings): void {
  const seen = new Set<string>();
  for (const [index, item] of list.entries()) {
    let name = `[${index}]`;
    if (schema.listType !== 'atomic') {
      const problem = schema.listType === 'set' ? setItemProblem(item) : mapItemProblem(item, schema);
      if (problem !== undefined) {
        findings.problems.push(`${path}: element ${index}: ${problem}`);
        return;
      }
      name = itemName(item, schema);
      if (seen.has(name)) findings.problems.push(`${path}: duplicate entries for key ${name}`);
      seen.add(name);
    }
    visit(item, schema.items, `${path}${name}`, findings);
  }
}

function setItemProblem(item: Json): string | undefined {
  if (item === null) return "associative list without keys has an element that's an explicit null";
  if (Array.isArray(item)) return 'not supported: associative list with lists as elements';
  return typeof item === 'object' ? "associative list without keys has an element that's a map type" : undefined;
}

function mapItemProblem(item: Json, { items, keys }: ListSchema): string | undefined {
  if (item === null) return 'associative list with keys may not have a null element';
  if (!isObject(item)) return 'associative list with keys may not have non-map elements';
  if (keys.some((key) => item[key] !== undefined || defaultOf(items, key) !== undefined)) return undefined;
  const names = keys.map((key) => JSON.stringify(key)).join(' ');
  return `associative list with keys has an element that omits all key fields [${names}] (and doesn't have default values for any key fields)`;
}

/** `[name="a"]`, `[="a"]`. */
function itemName(item: Json, { items, keys, listType }: ListSchema): string {
  if (listType === 'set') return `[=${shown(item)}]`;
  const parts = [...keys].sort().flatMap((key) => {
    const own = (item as JsonObject)[key];
    const value = own === undefined ? defaultOf(items, key) : own;
    return value === undefined ? [] : [`${key}=${shown(value)}`];
  });
  return `[${parts.join(',')}]`;
}

/** A value as it stands in a path: what a map holds comes one after the other, with nothing around it. */
function shown(value: Json): string {
  if (Array.isArray(value)) return `[${value.map((item: Json) => shown(item)).join(',')}]`;
  if (!isObject(value)) return stringifyJson(value);
  return Object.entries(value)
    .map(([key, member]) => `${key}=${shown(member!)}`)
    .join('');
}

/** How Go's `%#v` prints the holder of a value that it did not expect. */
const goValue = (value: Json): string => `&value.valueUnstructured{Value:${goSyntax(value)}}`;

function goSyntax(value: Json): string {
  if (value === null) return 'interface {}(nil)';
  if (Array.isArray(value)) return `${goType(value)}{${value.map((item: Json) => goSyntax(item)).join(', ')}}`;
  if (typeof value !== 'object') return typeof value === 'string' ? JSON.stringify(value) : String(value);
  const members = Object.entries(value).map(([key, own]) => `${JSON.stringify(key)}:${goSyntax(own ?? null)}`);
  return `${goType(value)}{${members.sort().join(', ')}}`;
}
