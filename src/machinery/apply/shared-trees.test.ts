import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FieldTree } from './field-tree.ts';
import { sharedTree } from './shared-trees.ts';

const step = fc.constantFrom('.', 'f:spec', 'f:data', 'f:name', 'k:{"name":"a"}', 'v:"a"');
const trees = fc.letrec<{ readonly tree: FieldTree }>((tie) => ({
  tree: fc.dictionary(step, fc.oneof({ maxDepth: 4 }, fc.constant({}), tie('tree')), { noNullPrototype: true }),
})).tree;

test('a shared tree has the very members of what it is given for, in their order', () => {
  fc.assert(
    fc.property(fc.array(trees), (all) => {
      for (const tree of all) assert.equal(JSON.stringify(sharedTree(tree)), JSON.stringify(tree));
    }),
    { seed: 20261122 },
  );
});

test('equal trees become one', () => {
  const tree = (): FieldTree => ({ 'f:data': { '.': {}, 'f:equal-trees': {} } });
  assert.equal(sharedTree(tree()), sharedTree(tree()));
});
