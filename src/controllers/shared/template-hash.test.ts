import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stableHash } from './template-hash.ts';

test('the hash does not depend on the order of fields or on empty ones', () => {
  const left = { spec: { containers: [{ name: 'a', image: 'b' }] }, metadata: { labels: { x: '1', y: '2' } } };
  const right = {
    metadata: { labels: { y: '2', x: '1' } },
    spec: { volumes: [], containers: [{ image: 'b', name: 'a' }] },
  };
  assert.equal(stableHash(left), stableHash(right));
});

test('the hash never changes between versions: old ReplicaSets would be taken for new ones', () => {
  assert.equal(stableHash({ spec: { containers: [{ name: 'a' }] } }), '5b684bc5db');
});

test('a collision gives another name', () => {
  assert.notEqual(stableHash({ a: 1 }), stableHash({ a: 1 }, 1));
  assert.match(stableHash({ a: 1 }, 1), /^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/);
});
