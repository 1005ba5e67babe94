import { fail } from './value.ts';

export type Integer = number | bigint;

const smallest = -(2n ** 63n);
const largest = 2n ** 63n - 1n;
const largestUnsigned = 2n ** 64n - 1n;

/** The one form that an int of this value has. @throws Failure beyond 64 bits. */
export function toInteger(value: bigint): Integer {
  if (value < smallest || value > largest) fail('integer overflow');
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

/** @throws Failure below zero and beyond 64 bits. */
export function checkUnsigned(value: bigint): bigint {
  return value < 0n || value > largestUnsigned ? fail('unsigned integer overflow') : value;
}

export function isInteger(value: unknown): value is Integer {
  return typeof value === 'number' || typeof value === 'bigint';
}

export function addIntegers(a: Integer, b: Integer): Integer {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return toInteger(BigInt(a) + BigInt(b));
}

export function subtractIntegers(a: Integer, b: Integer): Integer {
  if (typeof a === 'number' && typeof b === 'number') {
    const difference = a - b;
    if (Number.isSafeInteger(difference)) return difference;
  }
  return toInteger(BigInt(a) - BigInt(b));
}

export function multiplyIntegers(a: Integer, b: Integer): Integer {
  if (typeof a === 'number' && typeof b === 'number') {
    const product = a * b;
    if (Number.isSafeInteger(product)) return product + 0;
  }
  return toInteger(BigInt(a) * BigInt(b));
}

export function divideIntegers(a: Integer, b: Integer): Integer {
  if (b === 0) fail('division by zero');
  if (typeof a === 'number' && typeof b === 'number') return Math.trunc(a / b) + 0;
  return toInteger(BigInt(a) / BigInt(b));
}

export function remainderOfIntegers(a: Integer, b: Integer): Integer {
  if (b === 0) fail('modulus by zero');
  if (typeof a === 'number' && typeof b === 'number') return (a % b) + 0;
  return toInteger(BigInt(a) % BigInt(b));
}

export function negateInteger(value: Integer): Integer {
  return typeof value === 'number' ? 0 - value : toInteger(-value);
}
