import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '#testing/properties.ts';
import {
  addQuantities,
  canonicalQuantity,
  formatQuantity,
  milliValue,
  parseQuantity,
  subtractQuantities,
} from './quantity.ts';

test('quantities keep their value and suffix family in canonical form', () => {
  const pairs: Record<string, string> = {
    '1000m': '1',
    '0.5': '500m',
    '1.5Gi': '1536Mi',
    '1024Mi': '1Gi',
    '100': '100',
    '1e3': '1e3',
    '1000e0': '1e3',
    '0': '0',
    '0Gi': '0',
    '-1500m': '-1500m',
    '0.1n': '1n',
    '1Ki': '1Ki',
    '512': '512',
    '0.5Ki': '512',
    '1.1Ki': '1126400m',
    '1000000k': '1G',
    '12E': '12E',
    '100E': '100E',
  };
  for (const [text, canonical] of Object.entries(pairs)) assert.equal(canonicalQuantity(text), canonical, text);
});

test('texts that are no quantities are refused in upstream words', () => {
  assert.throws(() => parseQuantity(''), /^Error: quantities must match/);
  assert.throws(() => parseQuantity('1x'), /^Error: quantities must match/);
  assert.throws(() => parseQuantity('1KiB'), /^Error: quantities must match/);
  assert.throws(() => parseQuantity('1m3'), /^Error: unable to parse quantity's suffix/);
});

test('adding and taking away again changes nothing', () => {
  const any = fc.record({
    nanos: fc.bigInt(-(10n ** 24n), 10n ** 24n),
    format: fc.constantFrom('decimal' as const, 'exponent' as const),
  });
  fc.assert(
    fc.property(any, any, (left, right) => subtractQuantities(addQuantities(left, right), right).nanos === left.nanos),
  );
  fc.assert(fc.property(any, (value) => parseQuantity(formatQuantity(value)).nanos === value.nanos));
});

test('millivalues round away from zero', () => {
  assert.equal(milliValue(parseQuantity('100u')), 1);
  assert.equal(milliValue(parseQuantity('1.5')), 1500);
});
