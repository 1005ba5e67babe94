/** Strings of CEL are sequences of code points; JavaScript's are of UTF-16 units. */

const beyondBasicPlane = /[\uD800-\uDFFF]/;

/** The number of code points. */
export function codePointLength(text: string): number {
  if (!beyondBasicPlane.test(text)) return text.length;
  let length = 0;
  for (const _ of text) length++;
  return length;
}

/** Whether code units and code points are the same here, so that indexes need no counting. */
export const isBasic = (text: string): boolean => !beyondBasicPlane.test(text);

/** Orders by code points, as Go orders UTF-8 bytes. */
export function compareStrings(a: string, b: string): -1 | 0 | 1 {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left === right) continue;
    const leftSurrogate = left >= 0xd800 && left <= 0xdfff;
    const rightSurrogate = right >= 0xd800 && right <= 0xdfff;
    if (leftSurrogate !== rightSurrogate) return leftSurrogate ? 1 : -1;
    return left < right ? -1 : 1;
  }
  return a.length < b.length ? -1 : 1;
}

export function compareBytes(a: Uint8Array, b: Uint8Array): -1 | 0 | 1 {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    if (a[index]! !== b[index]!) return a[index]! < b[index]! ? -1 : 1;
  }
  return a.length === b.length ? 0 : a.length < b.length ? -1 : 1;
}
