/** The eight kinds of CBOR items, as the three upper bits of an item's first byte. */
export const majorTypes = {
  unsigned: 0,
  negative: 1,
  bytes: 2,
  text: 3,
  array: 4,
  map: 5,
  tag: 6,
  simple: 7,
} as const;

/** How errors name them. */
export const typeNames = [
  'positive integer',
  'negative integer',
  'byte string',
  'UTF-8 text string',
  'array',
  'map',
  'tag',
  'primitives',
] as const;

/** Around everything that is encoded: says that it is CBOR, and is told from JSON and protobuf by it. */
export const selfDescribed: Uint8Array = Uint8Array.of(0xd9, 0xd9, 0xf7);

/** Byte strings that are base64 text in JSON. */
export const base64Tag = 22;

/** The sixteen bits of a half-precision number of just this value; undefined when there is none. */
export function halfBits(value: number): number | undefined {
  const sign = Object.is(value, -0) || value < 0 ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size === 0) return sign;
  if (size > 65504) return undefined;
  const exponent = Math.max(Math.floor(Math.log2(size)), -14);
  // Beneath the smallest normal number the leading one is not implied.
  const fraction = size / 2 ** (exponent - 10);
  if (!Number.isInteger(fraction) || fraction >= 2048) return undefined;
  return fraction < 1024 ? sign | fraction : sign | ((exponent + 15) << 10) | (fraction - 1024);
}

export function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (fraction + 1024) * 2 ** (exponent - 25);
}
