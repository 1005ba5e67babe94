import type { Json, JsonObject } from '../meta.ts';
import { keysOf } from './path-steps.ts';

/** Whether two values are the same to the last member: null is something else than nothing. */
export function sameValues(left: Json | undefined, right: Json | undefined): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Array.isArray(left) || Array.isArray(right)) return sameLists(left, right);
  const keys = keysOf(left as JsonObject);
  if (keys.length !== keysOf(right as JsonObject).length) return false;
  return keys.every(
    (key) => Object.hasOwn(right, key) && sameValues((left as JsonObject)[key], (right as JsonObject)[key]),
  );
}

function sameLists(left: Json, right: Json): boolean {
  if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
  return left.every((item, index) => sameValues(item as Json, right[index] as Json));
}
