import { type Range, unbounded } from '../library/library.ts';

/** Arithmetic on bounds. Everything saturates at `unbounded`, as unsigned 64-bit numbers would overflow there. */

const saturate = (value: number): number => Math.min(value, unbounded);

export const exactly = (value: number): Range => ({ min: value, max: value });
export const anything: Range = { min: 0, max: unbounded };
export const nothing: Range = exactly(0);

export const addRanges = (a: Range, b: Range): Range => ({
  min: saturate(a.min + b.min),
  max: saturate(a.max + b.max),
});

export const multiplyRanges = (a: Range, b: Range): Range => ({
  min: saturate(a.min * b.min),
  max: saturate(a.max * b.max),
});

/** Times a factor, rounded up. */
export const scaleRange = ({ min, max }: Range, factor: number): Range => ({
  min: saturate(Math.ceil(min * factor)),
  max: saturate(Math.ceil(max * factor)),
});

/** The smallest range that covers both. */
export const uniteRanges = (a: Range, b: Range): Range => ({
  min: Math.min(a.min, b.min),
  max: Math.max(a.max, b.max),
});
