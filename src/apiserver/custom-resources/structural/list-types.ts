import { type FieldError, fieldError } from '#machinery/errors.ts';
import { stringifyJson } from '#machinery/json.ts';
import type { Json, JsonObject } from '#machinery/meta.ts';
import type { StructuralNode } from './node.ts';

/** Items that stand twice in lists that are sets or maps. */
export function duplicateItems(value: Json, node: StructuralNode, path = ''): readonly FieldError[] {
  if (!node.within.lists || value === null || typeof value !== 'object') return [];
  if (Array.isArray(value)) {
    const list = value as readonly Json[];
    const inner = node.items;
    const below =
      inner === undefined ? [] : list.flatMap((item, index) => duplicateItems(item, inner, `${path}[${index}]`));
    return [...below, ...duplicatesOf(list, node, path)];
  }
  const object = value as JsonObject;
  return Object.keys(object).flatMap((name) => {
    const inner = node.properties.get(name) ?? node.additional;
    return typeof inner === 'object'
      ? duplicateItems(object[name]!, inner, path === '' ? name : `${path}.${name}`)
      : [];
  });
}

function duplicatesOf(list: readonly Json[], node: StructuralNode, path: string): FieldError[] {
  if (node.listType === 'atomic') return [];
  const seen = new Set<string>();
  const told = new Set<string>();
  const found: FieldError[] = [];
  list.forEach((item, index) => {
    const identity = node.listType === 'set' ? item : keysOf(item, node);
    const text = stringifyJson(sorted(identity));
    if (seen.has(text) && !told.has(text)) {
      told.add(text);
      found.push(fieldError.duplicate(`${path}[${index}]`, sorted(identity)));
    }
    seen.add(text);
  });
  return found;
}

function keysOf(item: Json, { listKeys, items }: StructuralNode): Json {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return item;
  const fields = item as JsonObject;
  return Object.fromEntries(
    listKeys.flatMap((key) => {
      const value = fields[key] ?? items?.properties.get(key)?.default;
      return value === undefined ? [] : [[key, value]];
    }),
  );
}

function sorted(value: Json): Json {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return (value as readonly Json[]).map(sorted);
  const object = value as JsonObject;
  return Object.fromEntries(
    Object.keys(object)
      .sort()
      .map((key) => [key, sorted(object[key]!)]),
  );
}
