import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Revisions } from './revisions.ts';

const keys = ['/p/a', '/p/aa', '/p/b', '/p/c/x', '/p/c/y', '/p/d', '/q/a', '/o/z'];
const write = fc.record({ key: fc.constantFrom(...keys), deletes: fc.boolean() });

function written(writes: readonly { readonly key: string; readonly deletes: boolean }[]): Revisions {
  const revisions = new Revisions();
  for (const [index, { key, deletes }] of writes.entries()) {
    const previous = revisions.current(key);
    const value = deletes && previous !== undefined ? undefined : { bytes: new Uint8Array([index]) };
    const type = value === undefined ? 'delete' : 'put';
    revisions.publish({ type, key, revision: index + 1, value, previous });
  }
  return revisions;
}

test('pages of a list, at any revision, are the list in one piece, and say how much is left', () => {
  fc.assert(
    fc.property(fc.array(write, { maxLength: 40 }), fc.nat(40), fc.integer({ min: 1, max: 4 }), (writes, at, limit) => {
      const revisions = written(writes);
      const revision = Math.min(at, writes.length);
      const whole = revisions.range('/p/', { revision });
      assert.ok(whole.outcome === 'read');
      const found: string[] = [];
      for (let after = ''; ; after = found.at(-1)!) {
        const page = revisions.range('/p/', { revision, limit, after });
        assert.ok(page.outcome === 'read');
        found.push(...page.entries.map(({ key }) => key));
        assert.equal(page.remaining, whole.entries.length - found.length);
        if (page.remaining === 0) break;
      }
      assert.deepEqual(
        found,
        whole.entries.map(({ key }) => key),
      );
    }),
  );
});
