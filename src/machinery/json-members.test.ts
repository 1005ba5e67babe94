import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '#testing/properties.ts';
import { namesMembersOnce } from './json-members.ts';
import type { Json } from './meta.ts';

const once = (text: string): boolean => namesMembersOnce(text, JSON.parse(text) as Json);

test('whatever JSON.stringify writes names each member once, whatever is in its strings', () => {
  const odd = fc.constantFrom('"', '\\', ':', '":', '\\":', '{"a":1}', '\n', '__proto__');
  const text = fc.array(fc.oneof(odd, fc.string()), { maxLength: 4 }).map((parts) => parts.join(''));
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof({ depthSize: 'small' }, text, fc.double(), fc.boolean(), tie('list'), tie('object')),
    list: fc.array(tie('tree'), { maxLength: 4 }),
    object: fc.dictionary(text, tie('tree'), { maxKeys: 4 }),
  }));
  fc.assert(
    fc.property(tree, fc.nat(2), (value, indent) => {
      assert.equal(once(JSON.stringify(value, undefined, indent)), true);
    }),
  );
});

test('a member that is named twice is seen, however it is written', () => {
  for (const text of [
    '{"a":1,"a":2}',
    '{"a":{"b":[{"c":1 , "c" : 1}]}}',
    '{"a":1,"\\u0061":2}',
    '{"\\"":1,"\\"":2}',
    '{"a\\\\":1,"a\\\\":{}}',
    '{"__proto__":1,"__proto__":2}',
  ])
    assert.equal(once(text), false, text);
});

test('what nests too deep for a server is not said to be fine', () => {
  const depth = 2000;
  assert.equal(once('['.repeat(depth) + ']'.repeat(depth)), false);
});
