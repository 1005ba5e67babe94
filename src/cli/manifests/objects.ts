import { stringifyJson } from '#machinery/json.ts';
import { apiVersionOf, type Json, type JsonObject, type ObjectMeta } from '#machinery/meta.ts';
import type { ResourceInfo } from '../discovery/mapper.ts';

/** Metadata of an object whose kind nobody looked at. */
export function metadataOf(object: JsonObject): ObjectMeta {
  const { metadata } = object;
  return typeof metadata === 'object' && metadata !== null ? (metadata as unknown as ObjectMeta) : {};
}

/** The object with these fields of its metadata set; undefined takes one away. */
export function withMetadata(
  object: JsonObject,
  changes: { readonly [Name in keyof ObjectMeta]?: ObjectMeta[Name] | undefined },
): JsonObject {
  const metadata = Object.fromEntries(
    Object.entries({ ...metadataOf(object), ...changes }).filter(([, value]) => value !== undefined),
  );
  return { ...object, metadata: metadata as unknown as JsonObject };
}

/** The object with `apiVersion` and `kind`, which items of a list lack. */
export function withKind(object: JsonObject, info: Pick<ResourceInfo, 'group' | 'version' | 'kind'>): JsonObject {
  return { apiVersion: apiVersionOf(info), kind: info.kind, ...object };
}

/** What stands at a path of names and positions; undefined when something on the way is missing. */
export function valueAt(object: Json | undefined, ...path: readonly (string | number)[]): Json | undefined {
  let value: unknown = object;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value as Json | undefined;
}

/** The object with a value set at a path of names; objects on the way are made where they are missing. */
export function withValueAt(object: JsonObject, path: readonly string[], value: Json | undefined): JsonObject {
  const [step, ...rest] = path;
  if (step === undefined) return object;
  if (rest.length > 0) {
    const inner = object[step];
    const isInner = typeof inner === 'object' && inner !== null && !Array.isArray(inner);
    return { ...object, [step]: withValueAt(isInner ? (inner as JsonObject) : {}, rest, value) };
  }
  if (value !== undefined) return { ...object, [step]: value };
  const { [step]: _, ...others } = object;
  return others;
}

/** JSON as Go writes it on one line: keys sorted, and what could end a script in a page escaped. */
export function goJson(value: Json): string {
  return stringifyJson(sortKeys(value)).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function sortKeys(value: Json | undefined): Json | undefined {
  if (Array.isArray(value)) return value.map((item) => sortKeys(item) ?? null);
  if (typeof value !== 'object' || value === null) return value;
  const object = value as JsonObject;
  return Object.fromEntries(
    Object.keys(object)
      .sort()
      .map((key) => [key, sortKeys(object[key])]),
  );
}
