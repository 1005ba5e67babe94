import type { JsonFields } from '../conform.ts';
import type { Json, JsonObject } from '../meta.ts';
import { isObject } from '../patch/merge-patch.ts';
import type { Schema } from '../schema.ts';
import { type FieldTree, isEmptyTree, noFields } from './field-tree.ts';
import { checkRecords, isLeaf, itemsByStep, keysOf, memberSchema, repeatedItems } from './path-steps.ts';

/**
 * The paths that applying `value` claims: every scalar, every atomic value, every list item and map key, and empty
 * objects; not the objects around them.
 */
export function fieldsOf(value: JsonObject, schema: Schema): FieldTree {
  return childrenOf(value, schema);
}

function childrenOf(value: Json, schema: Schema): FieldTree {
  const node: JsonFields = {};
  if (Array.isArray(value)) {
    if (schema.type !== 'list') return node;
    for (const [step, item] of itemsByStep(schema, value)) {
      node[step] = asMember(isLeaf(schema.items) ? noFields : childrenOf(item, schema.items));
    }
  } else if (isObject(value)) {
    for (const key of keysOf(value)) {
      const { schema: inner, named } = memberSchema(schema, key);
      const child = claimed(value[key]!, inner, named);
      if (child !== undefined) node[`f:${key}`] = child;
    }
  }
  return node;
}

/** The node of a field; undefined when there is nothing to claim in it. */
function claimed(value: Json, schema: Schema, named: boolean): FieldTree | undefined {
  if (value === null || isLeaf(schema) || typeof value !== 'object') return noFields;
  if (Array.isArray(value) && schema.type !== 'list') return noFields;
  const children = childrenOf(value, schema);
  if (!isEmptyTree(children)) return named ? children : asMember(children);
  return !named || (isObject(value) && keysOf(value).length === 0) ? noFields : undefined;
}

/** Everything in a value that came or went as a whole, with the objects around. */
export function allFieldsOf(value: Json, schema: Schema): FieldTree {
  if (typeof value !== 'object' || value === null || isLeaf(schema)) return noFields;
  const node: JsonFields = {};
  if (Array.isArray(value)) {
    if (schema.type !== 'list') return noFields;
    const items = itemsByStep(schema, value);
    const repeated = repeatedItems(schema, value, items);
    for (const [step, item] of items) node[step] = repeated.has(step) ? noFields : allFieldsOf(item, schema.items);
  } else if (isObject(value)) {
    for (const key of keysOf(value)) {
      checkRecords(key, value[key]);
      node[`f:${key}`] = allFieldsOf(value[key]!, memberSchema(schema, key).schema);
    }
  }
  return asMember(node);
}

function asMember(children: FieldTree): FieldTree {
  return isEmptyTree(children) ? noFields : { '.': noFields, ...children };
}
