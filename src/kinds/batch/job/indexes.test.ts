import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commonIndex, indexesProblem } from './indexes.ts';

test('lists of indexes rise, and stay below the completions', () => {
  assert.equal(indexesProblem('', 5), undefined);
  assert.equal(indexesProblem('0,2-3,4', 5), undefined);
  assert.equal(indexesProblem('0,5', 5), 'too large index: "5"');
  assert.equal(indexesProblem('3-2', 5), 'non-increasing order, previous: 3, current: 2');
  assert.equal(indexesProblem('0-2,2', 5), 'non-increasing order, previous: 2, current: 2');
  assert.equal(indexesProblem('0,x', 5), 'cannot convert string to integer for index: "x"');
  assert.match(indexesProblem('0-1-2', 5) ?? '', /at most two parts/);
});

test('the first index of two lists is found, whatever else they say', () => {
  assert.equal(commonIndex('0-3', '2,4', 5), 2);
  assert.equal(commonIndex('0,x,4', '3-4', 5), 4);
  assert.equal(commonIndex('0,1', '2-4', 5), undefined);
});
