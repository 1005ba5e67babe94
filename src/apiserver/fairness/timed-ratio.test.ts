import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TimedAverage, TimedRatio } from './timed-ratio.ts';

test('a ratio is told by the nanoseconds that it was in each range', () => {
  const ratio = new TimedRatio([0, 0.5, 1], 0);
  ratio.of(4, 0);
  ratio.set(2, 10);
  ratio.set(4, 30);
  ratio.set(8, 60);
  ratio.of(8, 61);
  assert.deepEqual(ratio.read(71), {
    buckets: [10e6, 20e6, 40e6],
    sum: 0.5 * 20e6 + 1 * 40e6 + 2 * 1e6,
    count: 71e6,
  });
});

test('an average weighs values by how long they lasted, and begins anew when it is taken', () => {
  const seats = new TimedAverage(0);
  seats.set(4, 50);
  assert.deepEqual(seats.take(100), { average: 2, deviation: 2, highest: 4 });
  assert.equal(seats.take(100), undefined);
  seats.set(1, 100);
  assert.deepEqual(seats.take(200), { average: 1, deviation: 0, highest: 4 });
});
