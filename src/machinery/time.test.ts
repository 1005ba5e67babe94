import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalMicroTime, formatAge, formatDuration, formatMicroTime, parseDuration, parseTime } from './time.ts';

test('ages read as kubectl prints them', () => {
  const second = 1000;
  const ages: readonly (readonly [number, string])[] = [
    [5 * second, '5s'],
    [119 * second, '119s'],
    [120 * second, '2m'],
    [125 * second, '2m5s'],
    [600 * second, '10m'],
    [3 * 3600 * second, '3h'],
    [3 * 3600 * second + 60 * second, '3h1m'],
    [26 * 3600 * second, '26h'],
    [3 * 86400 * second + 7200 * second, '3d2h'],
    [100 * 86400 * second, '100d'],
    [800 * 86400 * second, '2y70d'],
    [-5 * second, '<invalid>'],
  ];
  for (const [ms, text] of ages) assert.equal(formatAge(ms), text);
});

test('durations go to Go and back', () => {
  for (const text of ['1h30m0s', '1.5s', '250ms', '0s', '2m0s', '-3s'])
    assert.equal(formatDuration(parseDuration(text)!), text);
  assert.equal(parseDuration('5'), undefined);
  assert.equal(parseDuration('1h30'), undefined);
});

test('micro times have exactly six digits', () => {
  assert.equal(canonicalMicroTime('2026-01-01T01:00:00.123456+01:00'), '2026-01-01T00:00:00.123456Z');
  assert.throws(() => canonicalMicroTime('2026-01-01T00:00:00Z'), /cannot parse "Z" as "\.000000"/);
  for (const time of ['2026-01-31T23:59:59.000001Z', '2024-02-29T00:00:00.123456Z'])
    assert.equal(canonicalMicroTime(time), time);
  for (const time of ['2026-02-29T00:00:00.123456Z', '2026-02-01T24:00:00.123456Z'])
    assert.throws(() => canonicalMicroTime(time), /out of range/);
  assert.equal(formatMicroTime(parseTime('2026-01-01T00:00:00.25Z')), '2026-01-01T00:00:00.250000Z');
});
