/**
 * Whether two JSON values are the same. Absent and undefined fields are; the order of fields does not matter.
 * Values that are identical by reference cost nothing.
 */
export function isEqual(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Array.isArray(left)) {
    if (!Array.isArray(right) || left.length !== right.length) return false;
    return left.every((item, index) => isEqual(item, right[index]));
  }
  if (Array.isArray(right)) return false;
  const first = left as Readonly<Record<string, unknown>>;
  const second = right as Readonly<Record<string, unknown>>;
  let common = 0;
  for (const key of Object.keys(first)) {
    if (first[key] === undefined) continue;
    if (!Object.hasOwn(second, key) || !isEqual(first[key], second[key])) return false;
    common++;
  }
  for (const key of Object.keys(second)) {
    if (second[key] !== undefined) common--;
  }
  return common === 0;
}
