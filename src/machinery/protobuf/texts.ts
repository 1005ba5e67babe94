/** Texts that were read last, and how many of them are kept. */
const places = 2048;
const texts: string[] = Array.from({ length: places }, () => '');

/**
 * Short text as it stands in a message, if it is ASCII. Names of fields, labels and images are said again and again:
 * one text then stands for all of them, which takes less memory and less time than to make each anew.
 */
export function asciiText(bytes: Buffer, start: number, length: number): string | undefined {
  let hash = length;
  for (let at = start; at < start + length; at++) {
    const byte = bytes[at]!;
    if (byte >= 128) return undefined;
    hash = (Math.imul(hash, 31) + byte) | 0;
  }
  const place = (hash ^ (hash >>> 11)) & (places - 1);
  const known = texts[place]!;
  if (isAt(known, bytes, start, length)) return known;
  const text = bytes.toString('latin1', start, start + length);
  texts[place] = text;
  return text;
}

function isAt(text: string, bytes: Buffer, start: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let at = 0; at < length; at++) if (text.charCodeAt(at) !== bytes[start + at]) return false;
  return true;
}
