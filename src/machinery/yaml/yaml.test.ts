import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '#testing/properties.ts';
import type { Json } from '../meta.ts';
import { dumpYaml, parseYaml, parseYamlDocuments } from '../yaml.ts';

test('scalars mean what they mean to Go', () => {
  const text =
    'a: yes\nb: 017\nc: 1_000\nd: 2026-01-01\ne: ~\nf: 12:30:45\ng: 0x1F\nh: 1e3\ni: "yes"\nj: 9223372036854775807\nk: 0b11\nl: !!str 5\n1: x\non: y\n';
  assert.deepEqual(parseYaml(text), {
    a: true,
    b: 15,
    c: 1000,
    d: '2026-01-01',
    e: null,
    f: '12:30:45',
    g: 31,
    h: 1000,
    i: 'yes',
    j: 9223372036854775807n,
    k: 3,
    l: '5',
    '1': 'x',
    true: true,
  });
});

test('merge keys, documents and broken text are handled', () => {
  assert.deepEqual(parseYaml('base: &b {x: 1}\nuse: {<<: *b, z: 2}\n'), { base: { x: 1 }, use: { x: 1, z: 2 } });
  assert.deepEqual(parseYamlDocuments('---\na: 1\n---\n# nothing\n---\nb: 2\n'), [{ a: 1 }, { b: 2 }]);
  assert.equal(JSON.stringify(parseYaml('__proto__: {a: 1}')), '{"__proto__":{"a":1}}');
});

test('what is wrong with text is told as Go tells it, whose scanner and parser count lines differently', () => {
  const words: Readonly<Record<string, string>> = {
    'a: b: c': 'mapping values are not allowed in this context',
    'a: 1\n b: 2': 'line 2: mapping values are not allowed in this context',
    'a:\n  - b\n c: d': 'line 2: did not find expected key',
    '- a\nb: c': "line 1: did not find expected '-' indicator",
    'a:\n\tb: c': 'line 2: found character that cannot start any token',
    '{"a": [1': "line 1: did not find expected ',' or ']'",
    'a: *b': "unknown anchor 'b' referenced",
  };
  for (const [text, why] of Object.entries(words))
    assert.throws(() => parseYaml(text), { message: `yaml: ${why}` }, JSON.stringify(text));
});

test('a bomb of aliases dies early', () => {
  let text = 'a0: &a0 [x,x,x,x,x,x,x,x,x]\n';
  for (let level = 1; level < 10; level++)
    text += `a${level}: &a${level} [${Array(9)
      .fill(`*a${level - 1}`)
      .join(',')}]\n`;
  assert.throws(() => parseYaml(text), /excessive aliasing/);
});

test('text prints as kubectl prints it', () => {
  const value = {
    b: 'yes',
    a: ['x: y', '- z', '', 'multi\nline\n', "it's"],
    c: {},
    d: [[1, 2], { e: null }],
    f: `${'word '.repeat(20)}end`,
  };
  assert.equal(
    dumpYaml(value),
    `a:\n- 'x: y'\n- '- z'\n- ""\n- |\n  multi\n  line\n- it's\nb: "yes"\nc: {}\nd:\n- - 1\n  - 2\n- e: null\nf: ${'word '.repeat(15)}word\n  word word word word end\n`,
  );
});

/** Whole numbers that a double does not hold for certain are read as bigint. */
const isItself = (number: number): boolean =>
  !Object.is(number, -0) && (!Number.isInteger(number) || Number.isSafeInteger(number) || Math.abs(number) >= 1e21);

test('what is printed reads back as itself', () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      'yes',
      '0x1',
      '1e3',
      ' a',
      'a ',
      'a\nb',
      '\n',
      'a\n\n',
      ' x\ny',
      '2001-01-01',
      '#',
      'a #b',
      '- ',
      '1:20',
    ),
  );
  const value = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      text,
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.double({ noNaN: true, noDefaultInfinity: true }).filter(isItself),
      fc.array(tie('node'), { maxLength: 3 }),
      fc.dictionary(text, tie('node'), { maxKeys: 3, noNullPrototype: true }),
    ),
  })).node as fc.Arbitrary<Json>;
  fc.assert(fc.property(value, (before) => assert.deepEqual(parseYaml(dumpYaml(before)), before)));
});
