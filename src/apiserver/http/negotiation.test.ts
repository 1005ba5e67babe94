import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '#machinery/errors.ts';
import { negotiateAnswer, servedEncodings } from './negotiation.ts';
import { patchTypeOf } from './options.ts';

const table = 'as=Table;v=v1;g=meta.k8s.io';

test('a client gets the form that it likes best of those that there are', () => {
  const cbor = servedEncodings({ cbor: true });
  const wanted: readonly (readonly [accept: string, encoding: string, as: string])[] = [
    ['application/json;q=0.9,application/cbor;q=1', 'cbor', 'object'],
    ['application/yaml;q=0.5, application/vnd.kubernetes.protobuf', 'protobuf', 'object'],
    ['*/*, application/yaml', 'yaml', 'object'],
    ['application/*;q=0.8,application/yaml;q=0.7', 'json', 'object'],
    [`application/json;${table},application/json`, 'json', 'table'],
    [`application/json;as=Nothing;v=v1;g=meta.k8s.io,application/json`, 'json', 'object'],
    ['text/html,application/xml;q=0.9,*/*;q=0.8', 'json', 'object'],
  ];
  for (const [accept, encoding, as] of wanted) {
    const format = negotiateAnswer(accept, { served: cbor });
    assert.deepEqual([format.encoding, format.as], [encoding, as], accept);
  }
  assert.equal(negotiateAnswer('application/json;q=0.9,application/cbor;q=1').encoding, 'json');
  for (const accept of ['application/cbor', 'constructor', '__proto__', 'image/png'])
    assert.throws(() => negotiateAnswer(accept), ApiError, accept);
});

test('names that every object has are no types of patches', () => {
  for (const type of ['constructor', '__proto__', 'toString']) assert.throws(() => patchTypeOf(type, []), ApiError);
});
