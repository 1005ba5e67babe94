import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bindings, compile, dynType, type EvaluateOptions, fromJson } from './index.ts';
import { environmentWith } from './kubernetes/environment.ts';

const environment = environmentWith({ variables: { x: dynType } });

function evaluate(source: string, bindings: Bindings = {}, options: EvaluateOptions = {}) {
  const { program, issues } = compile(source, environment);
  assert.equal(issues, undefined);
  return program!.evaluate(bindings, options);
}

test('integers are exact in all of their 64 bits', () => {
  const x = fromJson(9007199254740993n);
  assert.deepEqual(evaluate('x + 1 == 9007199254740994', { x }), { value: true, cost: 3 });
  assert.deepEqual(evaluate('x - 9007199254740000', { x }), { value: 993, cost: 2 });
  const overflow = evaluate('x * 2000', { x });
  assert.equal('error' in overflow && overflow.error, 'integer overflow');
});

test('an operator absorbs the failure of one side when the other one decides', () => {
  const x = fromJson({ a: 1 });
  assert.equal((evaluate('x.nope == 1 || x.a == 1', { x }) as { value: unknown }).value, true);
  assert.equal((evaluate('[1, 0].exists(y, 1 / y == 1)', { x }) as { value: unknown }).value, true);
  const failed = evaluate('x.nope == 1 && x.a == 1', { x });
  assert.equal('error' in failed && failed.error, 'no such key: nope');
});

test('an evaluation ends where it has cost what it may', () => {
  const x = fromJson(Array.from({ length: 1000 }, (_, index) => index));
  const outcome = evaluate('x.all(a, x.all(b, a >= 0 && b >= 0))', { x }, { costLimit: 5000 });
  assert.ok('error' in outcome && outcome.cancelled && outcome.cost < 5100);
});

test('an evaluation ends when nobody waits for it any more', () => {
  const x = fromJson(Array.from({ length: 1000 }, (_, index) => index));
  const outcome = evaluate('x.all(a, x.all(b, a >= 0))', { x }, { signal: AbortSignal.abort() });
  assert.ok('error' in outcome && outcome.error === 'operation interrupted');
});

test('a value is looked at where it is: JSON is never copied', () => {
  const inner = { deep: [1, 2, 3] };
  const outcome = evaluate('x.inner', { x: fromJson({ inner }) });
  assert.ok('value' in outcome && (outcome.value as unknown as { json: unknown }).json === inner);
});

test('what a loop has built stays as it is', () => {
  const outcome = evaluate('[[1].map(a, a)].all(l, (l + [2]).size() == 2 && (l + [3]).size() == 2 && l.size() == 1)');
  assert.ok('value' in outcome && outcome.value === true);
});
