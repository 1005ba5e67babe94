/**
 * Whether two JSON values are the same, with absent, undefined and null fields alike. Shared parts are recognised by
 * reference, so comparing an object with a lightly changed copy is cheap.
 */
export function equalValues(left: unknown, right: unknown): boolean {
  return equal(left, right, isNone);
}

/** The same, where an empty list is as good as none: in what is kept nobody can tell them apart. */
export function equalMeanings(left: unknown, right: unknown): boolean {
  return equal(left, right, isNoneOrEmpty);
}

type IsNothing = (value: unknown) => boolean;

const isNone: IsNothing = (value) => value === null || value === undefined;
const isNoneOrEmpty: IsNothing = (value) => isNone(value) || (Array.isArray(value) && value.length === 0);

function equal(left: unknown, right: unknown, isNothing: IsNothing): boolean {
  if (left === right) return true;
  if (isNothing(left) || isNothing(right)) return isNothing(left) && isNothing(right);
  if (typeof left !== 'object' || typeof right !== 'object') return false;
  if (Array.isArray(left)) return Array.isArray(right) && equalLists(left, right, isNothing);
  if (Array.isArray(right)) return false;
  return equalFields(left as Record<string, unknown>, right as Record<string, unknown>, isNothing);
}

function equalLists(left: readonly unknown[], right: readonly unknown[], isNothing: IsNothing): boolean {
  return left.length === right.length && left.every((item, index) => equal(item, right[index], isNothing));
}

function equalFields(
  left: Readonly<Record<string, unknown>>,
  right: Readonly<Record<string, unknown>>,
  isNothing: IsNothing,
): boolean {
  for (const key in left) {
    if (!equal(left[key], Object.hasOwn(right, key) ? right[key] : undefined, isNothing)) return false;
  }
  for (const key in right) if (!Object.hasOwn(left, key) && !isNothing(right[key])) return false;
  return true;
}
