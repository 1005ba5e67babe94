import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '#testing/properties.ts';
import type { Json } from '../meta.ts';
import { compileJsonPath, compilePath, JsonPathError } from './evaluate.ts';

const data: Json = {
  kind: 'List',
  items: [
    { metadata: { name: 'one', labels: { 'app.kubernetes.io/name': 'web' } }, ports: [80, 443], ready: true },
    { metadata: { name: 'two' }, ports: [], ready: false, weight: 2.5 },
    { metadata: { name: 'three' }, ports: [8080], ready: true, weight: 7 },
  ],
};

const run = (template: string): string => compileJsonPath(template, { allowMissingKeys: true })(data);

const examples: readonly (readonly [template: string, expected: string])[] = [
  ['plain text', 'plain text'],
  ['{.kind}', 'List'],
  ['{$.kind}', 'List'],

  ['{.items[*].metadata.name}', 'one two three'],
  ['{.items[0:2].metadata.name}', 'one two'],
  ['{.items[-1].metadata.name}', 'three'],
  ['{.items[0:3:2].metadata.name}', 'one three'],
  ['{.items[0,2].metadata.name}', 'one three'],
  ["{.items[0]['kind', 'ready']}", 'true'],
  ["{.items[0].metadata['name']}", 'one'],
  ['{.items[0].metadata.labels.app\\.kubernetes\\.io/name}', 'web'],
  ['{.items[?(@.metadata.name=="two")].weight}', '2.5'],
  ['{.items[?(@.ready==true)].metadata.name}', 'one three'],
  ['{.items[?(@.weight>=2.5)].metadata.name}', 'two three'],
  ['{.items[?(@.weight)].metadata.name}', 'two three'],
  ["{.items[?(@.metadata.name!='one')].metadata.name}", 'two three'],
  ['{..name}', 'one two three'],
  ['{range .items[*]}{.metadata.name}{"\\t"}{.ports[*]}{"\\n"}{end}', 'one\t80 443\ntwo\t\nthree\t8080\n'],
  ['{range .items[*]}{range .ports[*]}<{@}>{end};{end}', '<80><443>;;<8080>;'],
  ['{.items[0].ports}', '[80,443]'],
  ['{.items[0].metadata.labels}', '{"app.kubernetes.io/name":"web"}'],
  ['{.missing.deeper}', ''],
];

for (const [template, expected] of examples) {
  test(`the template ${template} gives ${JSON.stringify(expected)}`, () => assert.equal(run(template), expected));
}

test('what a template cannot mean is refused when it is read', () => {
  for (const template of ['{', '{.items[}', '{end}', '{range .items[*]}', '{.a[?(@.b=~1)]}', '{"open}']) {
    assert.throws(() => compileJsonPath(template), JsonPathError, template);
  }
});

test('a name without a dot before it means nothing, which is told when it is asked for', () => {
  assert.throws(() => run('{kind}'), /unrecognized identifier kind/);
});

test('a missing field is an error unless missing ones are allowed', () => {
  assert.throws(() => compileJsonPath('{.nope}')(data), /nope is not found/);
  assert.equal(compileJsonPath('{.nope}', { allowMissingKeys: true })(data), '');
});

test('an index outside of the list is an error even then', () => {
  assert.throws(() => run('{.items[7]}'), /array index out of bounds: index 7, length 3/);
});

test('a path alone may stand with and without its dot and braces', () => {
  for (const path of [
    'items[0].metadata.name',
    '.items[0].metadata.name',
    '{items[0].metadata.name}',
    '{.items[0].metadata.name}',
  ]) {
    assert.deepEqual(compilePath(path)(data), ['one'], path);
  }
});

test('text without braces stands as it is', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(!text.includes('{'));
      assert.equal(compileJsonPath(text)({}), text);
    }),
  );
});

test('a slice gives what Array.slice gives, within bounds', () => {
  const bounds = fc.tuple(fc.array(fc.integer(), { minLength: 1, maxLength: 9 }), fc.nat(8), fc.nat(9));
  fc.assert(
    fc.property(bounds, ([list, from, to]) => {
      fc.pre(from < list.length && to <= list.length && from < to);
      assert.deepEqual(compilePath(`.list[${from}:${to}]`)({ list }), list.slice(from, to));
    }),
  );
});
