const simple: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '?': '?',
  '"': '"',
  "'": "'",
  '`': '`',
};

const escapes = /\\(?:([abfnrtv\\?"'`])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|)/g;
const invalid = 'unable to unescape string';

/** @throws SyntaxError for an escape that there is none of. */
export function unescapeText(text: string): string {
  return text.replace(
    escapes,
    (whole, letter?: string, hex?: string, four?: string, eight?: string, octal?: string) => {
      if (whole === '\\') throw new SyntaxError(invalid);
      if (letter !== undefined) return simple[letter]!;
      const point = octal === undefined ? Number.parseInt(hex ?? four ?? eight ?? '', 16) : Number.parseInt(octal, 8);
      if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) throw new SyntaxError(invalid);
      return String.fromCodePoint(point);
    },
  );
}

/** In bytes, `\x` and octal escapes are bytes, and there are no escapes of code points. */
export function unescapeBytes(text: string, isRaw: boolean): Uint8Array {
  const encoder = new TextEncoder();
  if (isRaw) return encoder.encode(text);
  const bytes: number[] = [];
  let end = 0;
  for (const match of text.matchAll(escapes)) {
    const [whole, letter, hex, four, eight, octal] = match;
    bytes.push(...encoder.encode(text.slice(end, match.index)));
    end = match.index + whole.length;
    if (whole === '\\' || four !== undefined || eight !== undefined) throw new SyntaxError(invalid);
    if (letter !== undefined) bytes.push(simple[letter]!.charCodeAt(0));
    else bytes.push(octal === undefined ? Number.parseInt(hex!, 16) : Number.parseInt(octal, 8));
  }
  bytes.push(...encoder.encode(text.slice(end)));
  return Uint8Array.from(bytes);
}
