import { stringifyJson } from '../json.ts';
import { type OddMember, oddMembers } from '../json-scan.ts';
import type { Json, JsonObject } from '../meta.ts';
import type { Schema } from '../schema.ts';

/** Every object of a parsed text, with its keys that stood twice. */
export type RepeatedKeys = ReadonlyMap<object, ReadonlySet<string>>;

/** @param paths the keys that stand twice in the text of `value`, as `duplicateKeys` tells them */
export function repeatedKeys(value: Json, paths: readonly string[]): RepeatedKeys {
  const wanted = new Set(paths);
  const found = new Map<object, ReadonlySet<string>>();
  const visit = (one: Json, path: string): void => {
    if (Array.isArray(one)) for (const [index, item] of one.entries()) visit(item, `${path}[${index}]`);
    if (!isObject(one)) return;
    const pathOf = (key: string): string => (path === '' ? key : `${path}.${key}`);
    const keys = Object.keys(one);
    found.set(one, new Set(keys.filter((key) => wanted.has(pathOf(key)))));
    for (const key of keys) visit(one[key]!, pathOf(key));
  };
  visit(value, '');
  return found;
}

/**
 * What is odd in a patched document: a value that a JSON patch puts in stays the text that it was as long as no operation
 * reaches inside, and the official server decodes that text once more. All else it writes anew, with sorted keys.
 */
export function oddIn(
  document: Json,
  repeated: RepeatedKeys,
  schema: Schema,
  unknown: readonly string[],
): readonly OddMember[] {
  return oddMembers(textOf(document, repeated), schema, unknown);
}

function textOf(value: Json, repeated: RepeatedKeys): string {
  if (Array.isArray(value)) return `[${value.map((item: Json) => textOf(item, repeated)).join()}]`;
  if (!isObject(value)) return stringifyJson(value);
  const twice = repeated.get(value);
  const keys = Object.keys(value);
  if (twice === undefined) keys.sort();
  const members = keys.flatMap((key) => {
    const text = `${JSON.stringify(key)}:${textOf(value[key]!, repeated)}`;
    return twice?.has(key) === true ? [text, text] : [text];
  });
  return `{${members.join()}}`;
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
