import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '#machinery/errors.ts';
import {
  checkProduced,
  negotiateAnswer,
  negotiateRefusal,
  producedTypes,
  servedEncodings,
  streamEncodingOf,
} from './negotiation.ts';
import { patchTypeOf } from './options.ts';

const table = 'as=Table;v=v1;g=meta.k8s.io';

test('a client gets the form that it likes best of those that there are', () => {
  const cbor = servedEncodings({ cbor: true });
  const wanted: readonly (readonly [accept: string, encoding: string, as: string])[] = [
    ['application/json;q=0.9,application/cbor;q=1', 'cbor', 'object'],
    ['application/yaml;q=0.5, application/vnd.kubernetes.protobuf', 'protobuf', 'object'],
    ['*/*, application/yaml', 'yaml', 'object'],
    ['application/*;q=0.8,application/json;q=0.1', 'json', 'object'],
    // A definite range comes before a wild one that is liked better: upstream's library sorts so.
    ['application/*;q=0.8,application/yaml;q=0.7', 'yaml', 'object'],
    ['application/json;as=PartialObjectMetadataList;v=v1beta1;g=meta.k8s.io', 'json', 'metadata list'],
    [`application/vnd.kubernetes.protobuf;${table},application/yaml;${table}`, 'yaml', 'table'],
    ['application/json;stream=other,application/yaml;stream=watch,application/json;stream=watch', 'json', 'object'],
    [`application/json;${table},application/json`, 'json', 'table'],
    [`application/json;as=Nothing;v=v1;g=meta.k8s.io,application/json`, 'json', 'object'],
    ['text/html,application/xml;q=0.9,*/*;q=0.8', 'json', 'object'],
  ];
  for (const [accept, encoding, as] of wanted) {
    const format = negotiateAnswer(accept, { served: cbor });
    assert.deepEqual([format.encoding, format.as], [encoding, as], accept);
  }
  assert.equal(negotiateAnswer('application/json;q=0.9,application/cbor;q=1').encoding, 'json');
  for (const accept of ['application/cbor', 'constructor', '__proto__', 'image/png', 'application/json;g=meta.k8s.io'])
    assert.throws(() => negotiateAnswer(accept), ApiError, accept);
});

test('names that every object has are no types of patches', () => {
  for (const type of ['constructor', '__proto__', 'toString']) assert.throws(() => patchTypeOf(type, []), ApiError);
});

test('where upstream has a router, a media type has to be named, or anything taken', () => {
  const produced = producedTypes(servedEncodings({ cbor: false }), { watches: true });
  for (const accept of ['*/*', 'image/png,application/yaml;q=0.1', `application/json;${table}`, undefined])
    checkProduced(accept, produced);
  for (const accept of ['application/*', '*', 'image/png', 'application/json2'])
    assert.throws(() => checkProduced(accept, produced), /^ApiError: 406: Not Acceptable/, accept);
});

test('a refusal is no table: it comes in several lines where nothing else is accepted', () => {
  assert.deepEqual(
    [`application/json;${table}`, `application/json;${table},application/yaml`, 'application/json'].map((accept) => {
      const { encoding, as, pretty } = negotiateRefusal(accept);
      return [encoding, as, pretty];
    }),
    [
      ['json', 'object', true],
      ['yaml', 'object', false],
      ['json', 'object', false],
    ],
  );
});

test('a watch is not told in YAML', () => {
  assert.throws(
    () => streamEncodingOf(negotiateAnswer('application/yaml')),
    /only the following media types are accepted: application\/json;stream=watch, application\/vnd\.kubernetes/,
  );
});

test('a patch to a built-in kind may name several types, of which one is known; a custom kind has no strategic ones', () => {
  const words = (contentType: string, isCustom: boolean): string => {
    try {
      return patchTypeOf(contentType, [], { isCustom }).type;
    } catch (error) {
      return (error as ApiError).message.slice(0, 27);
    }
  };
  const strategic = 'application/strategic-merge-patch+json';
  assert.deepEqual(
    [words('text/plain', false), words('text/plain', true), words(strategic, false), words(strategic, true)],
    ['415: Unsupported Media Type', 'the body of the request was', 'strategic', 'the body of the request was'],
  );
  assert.equal(words('application/merge-patch+json, x', false), 'the body of the request was');
});
