import { type JsonFields, setOwn } from '../conform.ts';
import { equalValues } from '../equality.ts';
import type { Json, JsonObject } from '../meta.ts';

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Applies a JSON merge patch (RFC 7386). The original is not touched; the result shares what did not change. As with
 * upstream's library, null is nothing also in the objects of a list, unless that takes the place of an object.
 */
export function applyMergePatch(original: Json | undefined, patch: Json): Json {
  if (Array.isArray(patch) && !isObject(original)) return patch.map(withoutNulls);
  if (!isObject(patch)) return patch;
  const result: JsonFields = isObject(original) ? { ...original } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || value === undefined) delete result[key];
    else setOwn(result, key, applyMergePatch(ownField(result, key), value));
  }
  return result;
}

function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutNulls);
  return isObject(value) ? applyMergePatch(undefined, value) : value;
}

/** A field of the object itself, never one of its prototype. */
export function ownField(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** The merge patch that turns `original` into `modified`; empty when they are equal. */
export function createMergePatch(original: JsonObject, modified: JsonObject): JsonObject {
  const patch: JsonFields = {};
  for (const [key, after] of Object.entries(modified)) {
    if (after === undefined) continue;
    const before = ownField(original, key);
    if (before !== undefined && equalValues(before, after)) continue;
    setOwn(patch, key, isObject(before) && isObject(after) ? createMergePatch(before, after) : after);
  }
  for (const key of Object.keys(original)) {
    if (ownField(modified, key) === undefined && original[key] !== undefined) setOwn(patch, key, null);
  }
  return patch;
}

/**
 * The merge patch by which `kubectl apply` changes a kind without merge keys: what differs between the live object
 * and the manifest is set, what the last manifest had and this one has not is deleted.
 */
export function createThreeWayMergePatch(original: JsonObject, modified: JsonObject, current: JsonObject): JsonObject {
  const changes = filterNulls(createMergePatch(current, modified), 'drop');
  const deletions = filterNulls(createMergePatch(original, modified), 'keepOnly');
  return mergePatches(deletions, changes);
}

function filterNulls(patch: JsonObject, mode: 'drop' | 'keepOnly'): JsonObject {
  const result: JsonFields = {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || value === undefined) {
      if (mode === 'keepOnly') setOwn(result, key, null);
    } else if (isObject(value)) {
      const inner = filterNulls(value, mode);
      const isSetEmpty = Object.keys(value).length === 0 && mode === 'drop';
      if (isSetEmpty || Object.keys(inner).length > 0) setOwn(result, key, inner);
    } else if (mode === 'drop') {
      setOwn(result, key, value);
    }
  }
  return result;
}

/** Both patches in one; nulls stay, because they are still to be applied. */
function mergePatches(first: JsonObject, second: JsonObject): JsonObject {
  const result: JsonFields = { ...first };
  for (const [key, value] of Object.entries(second)) {
    const before = ownField(result, key);
    setOwn(result, key, isObject(before) && isObject(value) ? mergePatches(before, value) : value!);
  }
  return result;
}
