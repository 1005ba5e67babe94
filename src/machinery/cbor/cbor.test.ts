import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '#testing/properties.ts';
import { decodeCbor, encodeCbor } from '../cbor.ts';
import type { ObjectSchema, Schema } from '../schema.ts';

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
/** Without the tag around everything. */
const encoded = (value: unknown, schema?: Schema): string => hexOf(encodeCbor(value, schema)).slice('d9d9f7'.length);

/** From RFC 8949, appendix A: what stands for which value. */
const examples: readonly (readonly [hex: string, value: unknown])[] = [
  ['1864', 100],
  ['1b000000e8d4a51000', 1000000000000],
  ['3903e7', -1000],
  ['f98000', -0],
  ['fb3ff199999999999a', 1.1],
  ['f97bff', 65504],
  ['fa47c35000', 100000],
  ['fb7e37e43c8800759c', 1.0e300],
  ['f90001', 2 ** -24],
  ['f90400', 0.00006103515625],
  ['c074323031332d30332d32315432303a30343a30305a', '2013-03-21T20:04:00Z'],
  ['c11a514b67b0', '2013-03-21T20:04:00Z'],
  ['c1fb41d452d9ec200000', '2013-03-21T20:04:00.5Z'],
  ['d74401020304', '01020304'],
  ['d6426869', 'aGk='],
  ['d818456449455446', 'dIETF'],
  ['4401020304', '\x01\x02\x03\x04'],
  ['64f0908591', '𐅑'],
  ['a26161016162820203', { a: 1, b: [2, 3] }],
  ['5f42010243030405ff', '\x01\x02\x03\x04\x05'],
  ['7f657374726561646d696e67ff', 'streaming'],
  ['9f018202039f0405ffff', [1, [2, 3], [4, 5]]],
  ['bf61610161629f0203ffff', { a: 1, b: [2, 3] }],
  ['d9d9f7f6', null],
  ['1b7fffffffffffffff', 9223372036854775807n],
];

const refused: readonly (readonly [hex: string, why: RegExp])[] = [
  ['', /^EOF$/],
  ['1bffffffffffffffff', /overflows Go's int64/],
  ['3bffffffffffffffff', /overflows Go's int64/],
  ['c249010000000000000000', /not accepted by protocol: bignum/],
  ['f97c00', /infinity/],
  ['fb7ff8000000000000', /NaN/],
  ['f7', /not recognized/],
  ['f8ff', /not recognized/],
  ['f814', /invalid simple value/],
  ['a201020304', /cannot unmarshal positive integer/],
  ['a2 4161 01 6161 02', /duplicate map key "a" at map element index 1/],
  ['62c328', /invalid UTF-8/],
  ['7f 61c3 61bc ff', /invalid UTF-8/],
  ['5f 6161 ff', /wrong element type/],
  ['5f 5f ff ff', /not definite-length/],
  ['ff', /unexpected "break"/],
  ['1c', /invalid additional information 28/],
  ['0000', /1 bytes of extraneous data starting at index 1/],
  ['5bffffffffffffffff', /unexpected EOF/],
  ['9bffffffffffffffff00', /unexpected EOF/],
  ['81'.repeat(100_000), /exceeded max nested level/],
  ['c1'.repeat(100_000), /exceeded max nested level/],
  ['d6'.repeat(100_000), /exceeded max nested level/],
  ['c063666f6f', /cannot set "foo" for time.Time/],
  ['c1fb7e37e43c8800759c', /RFC3339/],
];

test('items of CBOR stand for the values that RFC 8949 gives', () => {
  for (const [hex, value] of examples) assert.deepEqual(decodeCbor(bytesOf(hex)), value, hex);
});

test('what has no JSON, or is not well-formed, is refused', () => {
  for (const [hex, message] of refused)
    assert.throws(() => decodeCbor(bytesOf(hex)), { name: 'DecodeError', message }, hex.slice(0, 40));
});

test('text and keys are byte strings, keys are sorted by their encoded form, numbers take the least room', () => {
  assert.equal(encoded({ bb: 1, a: 'x', c: -1.5 }), 'a3 4161 4178 4163 f9be00 426262 01'.replaceAll(' ', ''));
  assert.equal(encoded({ a: undefined, b: null }), 'a1 4162 f6'.replaceAll(' ', ''));
  assert.equal(encoded(1, { type: 'double' }), 'f93c00');
});

test('bytes go as bytes, under a tag that says base64', () => {
  const schema: Schema = { type: 'map', values: { type: 'bytes' }, atomic: false };
  assert.equal(encoded({ k: 'AQID' }, schema), 'a1 416b d6 43010203'.replaceAll(' ', ''));
  const field = { name: 'data', schema, presence: 'nonZero' };
  const object = { type: 'object', name: '', fields: new Map([['data', field]]) } as unknown as ObjectSchema;
  assert.deepEqual(decodeCbor(encodeCbor({ data: { k: 'AQID' } }, object)), { data: { k: 'AQID' } });
});

test('a key named __proto__ is a key', () => {
  const value = decodeCbor(encodeCbor(JSON.parse('{"__proto__":{"admin":true}}')));
  assert.deepEqual(Object.keys(value as object), ['__proto__']);
  assert.equal((value as { admin?: boolean }).admin, undefined);
});

test('every JSON value comes back from CBOR as it was', () => {
  const values = fc.oneof(
    fc.jsonValue({ maxDepth: 5 }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.maxSafeInteger(),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }),
    fc.string({ unit: 'binary' }),
  );
  fc.assert(fc.property(values, (value) => assert.deepEqual(decodeCbor(encodeCbor(value)), value)));
});

test('bytes at random are a value or a DecodeError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        decodeCbor(bytes);
      } catch (error) {
        assert.equal((error as Error).name, 'DecodeError');
      }
    }),
    { numRuns: 2000 },
  );
});
