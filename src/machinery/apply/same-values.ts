import type { Json, JsonObject } from '../meta.ts';

/** Whether two values are the same to the last member: null is something else than nothing. */
export function sameValues(left: Json | undefined, right: Json | undefined): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Array.isArray(left) || Array.isArray(right)) return sameLists(left, right);
  return sameMembers(left as JsonObject, right as JsonObject);
}

function sameMembers(left: JsonObject, right: JsonObject): boolean {
  let unmatched = 0;
  for (const key in left) {
    const value = left[key];
    if (value === undefined) continue;
    if (!Object.hasOwn(right, key) || !sameValues(value, right[key])) return false;
    unmatched--;
  }
  for (const key in right) if (right[key] !== undefined) unmatched++;
  return unmatched === 0;
}

function sameLists(left: Json, right: Json): boolean {
  if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
  return left.every((item, index) => sameValues(item as Json, right[index] as Json));
}
