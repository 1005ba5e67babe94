import { schemaNamed } from '#kinds/schemas.ts';
import {
  type ConformResult,
  conform,
  DecodeError,
  type JsonFields,
  maximumStrictErrors,
  setOwn,
} from '#machinery/conform.ts';
import { stringifyJson } from '#machinery/json.ts';
import type { Json, JsonObject } from '#machinery/meta.ts';
import { type StructuralNode, structuralNode } from './node.ts';

const metaFields = new Set(['apiVersion', 'kind', 'metadata']);

export interface PruneOptions {
  /** Null stays where it may not be, for validation to refuse. */
  readonly keepsNulls?: boolean;
}

/**
 * Brings a custom object into the form in which it is kept: fields that the schema does not have are dropped, unless it
 * preserves them, nulls that may not be and have no default are absent, and metadata is as in every object. Types are
 * left to validation. Never changes `value`.
 * @throws DecodeError when the metadata is none.
 */
export function prune(value: Json, root: StructuralNode, { keepsNulls = false }: PruneOptions = {}): ConformResult {
  if (!isObject(value)) throw new DecodeError(`cannot restore an object from ${JSON.stringify(value)}`);
  const walk = new Pruning(keepsNulls);
  const pruned = walk.object(value, root, '', true);
  return { value: pruned, unknown: [...walk.unknown.sort(), ...walk.inMetadata].slice(0, maximumStrictErrors) };
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

class Pruning {
  readonly unknown: string[] = [];
  readonly inMetadata: string[] = [];
  readonly #keepsNulls: boolean;

  constructor(keepsNulls: boolean) {
    this.#keepsNulls = keepsNulls;
  }

  /** `node` undefined: a place of no schema, where no field may be. */
  value(value: Json, node: StructuralNode | undefined, path: string): Json {
    if (Array.isArray(value)) {
      let result: Json[] | undefined;
      for (let index = 0; index < value.length; index++) {
        const before = value[index] as Json;
        const after = this.value(before, itemsOf(node), `${path}[${index}]`);
        if (after === before) continue;
        result ??= value.slice();
        result[index] = after;
      }
      return result ?? value;
    }
    return isObject(value) ? this.object(value, node, path, node?.embedded === true) : value;
  }

  object(value: JsonObject, node: StructuralNode | undefined, path: string, isObjectRoot: boolean): JsonObject {
    let result: JsonFields | undefined;
    for (const name of Object.keys(value)) {
      const before = value[name]!;
      const after = this.#member(name, before, node, path, isObjectRoot);
      if (after === before) continue;
      result ??= { ...value } as JsonFields;
      if (after === undefined) delete result[name];
      else setOwn(result, name, after);
    }
    return (result as JsonObject | undefined) ?? value;
  }

  #member(
    name: string,
    value: Json,
    node: StructuralNode | undefined,
    path: string,
    isObjectRoot: boolean,
  ): Json | undefined {
    const inner = path === '' ? name : `${path}.${name}`;
    if (isObjectRoot && metaFields.has(name))
      return name === 'metadata' ? this.#metadata(value, inner, path === '') : value;
    const property = node?.properties.get(name);
    if (property !== undefined) return this.#typed(value, property, inner);
    if (node?.additional !== undefined)
      return node.additional === 'untyped'
        ? this.value(value, undefined, inner)
        : this.#typed(value, node.additional, inner);
    if (node?.preserveUnknown === true) return value;
    if (this.unknown.length < maximumStrictErrors) this.unknown.push(inner);
    return undefined;
  }

  #typed(value: Json, node: StructuralNode, path: string): Json | undefined {
    if (value !== null) return this.value(value, node, path);
    return this.#keepsNulls || node.nullable || node.default !== undefined ? null : undefined;
  }

  /** As every object has it, also that of an object inside. @throws DecodeError when it is none. */
  #metadata(value: Json, path: string, isOwn: boolean): Json {
    try {
      const { value: metadata, unknown } = conform(value, schemaNamed('meta.v1.ObjectMeta'));
      for (const field of unknown) this.inMetadata.push(`${path}.${field}`);
      return metadata;
    } catch (error) {
      if (isOwn || !(error instanceof DecodeError)) throw error;
      throw new DecodeError(`${path}: Invalid value: ${stringifyJson(value)}: ${error.message}`);
    }
  }
}

const keepsAll = structuralNode({ 'x-kubernetes-preserve-unknown-fields': true });

/** Below a place that keeps what it does not know, lists of no schema keep theirs too. */
function itemsOf(node: StructuralNode | undefined): StructuralNode | undefined {
  return node?.items ?? (node?.preserveUnknown === true ? keepsAll : undefined);
}
