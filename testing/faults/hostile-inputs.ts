import fc from '../properties.ts';

const many = 100_000;

/** What is hard on decoders, whatever they decode. */
export const hard: readonly string[] = [
  '',
  '\0',
  '\ufeff{}',
  ...[
    '[',
    '{"a":',
    '(',
    '!',
    '-',
    '- ',
    '{',
    'a.',
    'a[',
    '? ',
    '*',
    '&a ',
    '\\',
    ',',
    '=',
    '"',
    "'",
    ' ',
    '\t',
    '\n',
    '%',
    '/',
    '../',
    '1',
    '9e',
    ':',
    'a,',
    '[*',
    '{.a',
    '|\n',
    '>-\n',
    '`',
    '$',
    '\u{1f600}',
    '\0',
  ].map((piece) => piece.repeat(many)),
  `${'['.repeat(many)}${']'.repeat(many)}`,
  `${'{"a":'.repeat(many)}1${'}'.repeat(many)}`,
  `${'('.repeat(many)}1${')'.repeat(many)}`,
  `{"metadata":{"name":${'9'.repeat(many)}}}`,
  `{"metadata":{"generation":1e${'9'.repeat(1000)}}}`,
  `0.${'0'.repeat(many)}1`,
  `1e-${'9'.repeat(50)}`,
  `${'1'.repeat(many)}Gi`,
  '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
  '__proto__: {polluted: true}\nconstructor: {prototype: {polluted: true}}\n',
  '{"a":"\\ud800"}',
  bomb(12),
  `a: &a [${'x,'.repeat(1000)}]\nb: [${'*a,'.repeat(many / 10)}]\n`,
  `? ${'[a]: '.repeat(1000)}`,
  `"${'\\u0041'.repeat(many)}"`,
  `${'a'.repeat(many)}!`,
  `[${'1+'.repeat(many)}1]`,
  `[${'"a",'.repeat(many)}"a"]`,
  `{${Array.from({ length: many }, (_, index) => `"k${index}":1`).join()}}`,
  Array.from({ length: 20_000 }, (_, index) => `k${index}: ${index}`).join('\n'),
];

/** Few lines that stand for very much. */
function bomb(levels: number): string {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level < levels; level++)
    lines.push(
      `a${level}: &a${level} [${Array(9)
        .fill(`*a${level - 1}`)
        .join(', ')}]`,
    );
  return lines.join('\n');
}

export const hardBytes: readonly Uint8Array[] = [
  Buffer.from('fffe00', 'hex'),
  Buffer.from('7b2261223a22c328227d', 'hex'),
  Buffer.alloc(many, 0xff),
  Buffer.alloc(many, 0x0a),
  Buffer.alloc(many, 0x81),
  Buffer.alloc(many, 0x9f),
  Buffer.alloc(many, 0xd6),
  Buffer.alloc(many, 0x12),
];

/** A seed with some of it changed, cut, doubled or moved. */
export function broken(seeds: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const edit = fc.record({
    kind: fc.constantFrom('set', 'insert', 'cut', 'double'),
    at: fc.nat(0xffff),
    length: fc.nat(40),
    byte: fc.oneof(
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom(...Buffer.from('"\\{}[]():,.0-$*&%\n\0\xff', 'latin1')),
    ),
  });
  return fc.tuple(fc.constantFrom(...seeds), fc.array(edit, { minLength: 1, maxLength: 6 })).map(([seed, edits]) => {
    let bytes = Buffer.from(seed.subarray(0, 20_000));
    for (const { kind, at, length, byte } of edits) {
      const place = bytes.length === 0 ? 0 : at % bytes.length;
      const [head, piece, tail] = [
        bytes.subarray(0, place),
        bytes.subarray(place, place + length),
        bytes.subarray(place + length),
      ];
      if (kind === 'set' && bytes.length > 0) bytes[place] = byte;
      if (kind === 'insert') bytes = Buffer.concat([head, Buffer.of(byte), piece, tail]);
      if (kind === 'cut') bytes = Buffer.concat([head, tail]);
      if (kind === 'double') bytes = Buffer.concat([head, piece, piece, tail]);
    }
    return bytes;
  });
}
