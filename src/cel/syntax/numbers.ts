import type { Integer } from '../values/integer.ts';

/** The int of this value; undefined beyond 64 bits. */
export function toInt64(value: bigint): Integer | undefined {
  if (BigInt.asIntN(64, value) !== value) return undefined;
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

export const isUnsigned64 = (value: bigint): boolean => BigInt.asUintN(64, value) === value;
