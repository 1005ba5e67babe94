import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeDeleteOptions } from './decode.ts';
import { deletionOptions, queryOptions } from './options.ts';

const encoded = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

test('a deletion is asked for by its body or, without one, by the query', () => {
  const query = new URLSearchParams('dryRun=All&gracePeriodSeconds=3');
  assert.deepEqual(deletionOptions(query, undefined), {
    deletion: { dryRun: ['All'], gracePeriodSeconds: 3 },
    dryRun: true,
  });
  assert.deepEqual(deletionOptions(query, {}), { deletion: {}, dryRun: false });
  assert.throws(() => deletionOptions(new URLSearchParams('dryRun='), undefined), /Unsupported value: \[""\]/);
  assert.throws(() => decodeDeleteOptions(encoded({ kind: 'Pod', apiVersion: 'v1' }), 'json'), /no kind "Pod"/);
});

test('a number is one that Go could hold', () => {
  const limitOf = (text: string): unknown => queryOptions(new URLSearchParams({ limit: text }), 'list').limit;
  assert.equal(limitOf('-1'), -1);
  assert.throws(() => limitOf('9223372036854775808'), /value out of range/);
  assert.throws(() => limitOf('1e3'), /invalid syntax/);
});
