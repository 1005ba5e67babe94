import { cloneJson } from '#machinery/clone.ts';
import { type JsonFields, setOwn } from '#machinery/conform.ts';
import type { Json, JsonObject } from '#machinery/meta.ts';
import type { StructuralNode } from './node.ts';

/**
 * Fills in defaults where a field is absent, or null and may not be. Shares what does not change with `value`, which is
 * never touched.
 */
export function withDefaults(value: Json, node: StructuralNode): Json {
  if (Array.isArray(value)) return node.items === undefined ? value : list(value, node.items);
  if (typeof value !== 'object' || value === null) return value;
  return object(value as JsonObject, node);
}

function object(value: JsonObject, node: StructuralNode): JsonObject {
  let result: JsonFields | undefined;
  const set = (name: string, after: Json): void => {
    result ??= { ...value } as JsonFields;
    setOwn(result, name, after);
  };
  for (const [name, property] of node.properties) {
    if (property.default === undefined) continue;
    const before = Object.hasOwn(value, name) ? value[name] : undefined;
    if (before === undefined || isForbiddenNull(before, property)) set(name, cloneJson(property.default));
  }
  for (const name of Object.keys(result ?? value)) {
    const inner = memberOf(node, name);
    if (inner === undefined) continue;
    const before = (result ?? value)[name]!;
    const isReplaced = isForbiddenNull(before, inner) && inner.default !== undefined;
    const after = isReplaced ? cloneJson(inner.default) : withDefaults(before, inner);
    if (after !== before) set(name, after);
  }
  return (result as JsonObject | undefined) ?? value;
}

function list(value: readonly Json[], items: StructuralNode): readonly Json[] {
  let result: Json[] | undefined;
  value.forEach((before, index) => {
    const isReplaced = isForbiddenNull(before, items) && items.default !== undefined;
    const after = isReplaced ? cloneJson(items.default) : withDefaults(before, items);
    if (after === before) return;
    result ??= value.slice();
    result[index] = after!;
  });
  return result ?? value;
}

function memberOf(node: StructuralNode, name: string): StructuralNode | undefined {
  const property = node.properties.get(name);
  if (property !== undefined) return property;
  return typeof node.additional === 'object' ? node.additional : undefined;
}

function isForbiddenNull(value: Json, node: StructuralNode): boolean {
  return value === null && !node.nullable;
}
