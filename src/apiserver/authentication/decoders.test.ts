import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bytesOf, decodeFields, encodeFields } from '../encryption/kms/messages.ts';
import { keyOfJwk, parseJwt } from './jwt.ts';
import { tokenFile } from './token-file.ts';

test('whatever comes as a token or a key is read or left, and never throws', () => {
  const part = fc.oneof(
    fc.base64String(),
    fc.string(),
    fc.json().map((text) => Buffer.from(text).toString('base64url')),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 5 }), fc.jsonValue(), (parts, jwk) => {
      const token = parts.join('.');
      const parsed = parseJwt(token);
      if (parsed !== undefined) assert.equal(typeof parsed.algorithm, 'string');
      keyOfJwk(jwk);
    }),
  );
});

test('messages of a KMS plugin come back as they went, and broken ones are refused with an error', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 15 }), fc.uint8Array({ minLength: 1 }))), (fields) => {
      const decoded = decodeFields(encodeFields(fields));
      for (const [field] of fields) {
        const last = fields.findLast(([number]) => number === field)![1];
        assert.deepEqual(Buffer.from(bytesOf(decoded, field)), Buffer.from(last));
      }
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      try {
        decodeFields(bytes);
      } catch (error) {
        assert.ok(error instanceof Error && !(error instanceof RangeError));
      }
    }),
  );
});

test('a token file is read line by line, with groups in quotes', async () => {
  const file = tokenFile('# people\nabc,ann,1,"dev,ops"\ndef, bob , 2\n', ['api']);
  const answer = await file.authenticate('abc', ['api']);
  assert.deepEqual(answer.outcome === 'authenticated' && answer.user, {
    name: 'ann',
    uid: '1',
    groups: ['dev', 'ops', 'system:authenticated'],
  });
  assert.equal((await file.authenticate('de', ['api'])).outcome, 'unknown');
  assert.throws(() => tokenFile('only,two\n', []), /line 1: must have at least token, user name and user uid/);
});
