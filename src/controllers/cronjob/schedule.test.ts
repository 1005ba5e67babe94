import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSchedule } from './schedule.ts';

const after = (time: string) => Date.parse(time);
const next = (schedule: string, time: string, zone?: string) => {
  const ms = parseSchedule(schedule, zone).next(after(time));
  return ms === undefined ? undefined : new Date(ms).toISOString().slice(0, 16);
};

test('the next time of a schedule', () => {
  assert.equal(next('*/15 * * * *', '2026-01-01T00:00:00Z'), '2026-01-01T00:15');
  assert.equal(next('0 3 * * *', '2026-01-01T03:00:00Z'), '2026-01-02T03:00');
  assert.equal(next('30 4 1 * *', '2026-01-15T00:00:00Z'), '2026-02-01T04:30');
  assert.equal(next('0 0 29 2 *', '2026-03-01T00:00:00Z'), '2028-02-29T00:00');
  assert.equal(next('0 9 * * mon-fri', '2026-01-02T10:00:00Z'), '2026-01-05T09:00');
  assert.equal(next('@hourly', '2026-01-01T00:00:30Z'), '2026-01-01T01:00');
});

test('days of month and of week are alternatives when both are given', () => {
  assert.equal(next('0 0 13 * 5', '2026-01-01T00:00:00Z'), '2026-01-02T00:00');
});

test('a time zone shifts the schedule, over a change of the clock as well', () => {
  assert.equal(next('0 12 * * *', '2026-03-28T12:00:00Z', 'Europe/Berlin'), '2026-03-29T10:00');
  assert.equal(next('0 12 * * *', '2026-01-01T00:00:00Z', 'America/New_York'), '2026-01-01T17:00');
});

test('what is no schedule is refused', () => {
  for (const text of ['* * * *', '60 * * * *', '5-1 * * * *', 'x * * * *', '*/0 * * * *']) {
    assert.throws(() => parseSchedule(text));
  }
});
