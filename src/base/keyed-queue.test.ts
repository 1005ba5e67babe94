import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeyedQueue } from './keyed-queue.ts';
import { VirtualClock } from './virtual-clock.ts';

test('a key added several times is worked on once', async () => {
  const queue = new KeyedQueue(new VirtualClock());
  queue.add('a');
  queue.add('a');
  assert.equal(await queue.take(), 'a');
  assert.equal(queue.size, 0);
});

test('a key added while in work waits until it is done, then comes again', async () => {
  const queue = new KeyedQueue(new VirtualClock());
  queue.add('a');
  await queue.take();
  queue.add('a');
  assert.equal(queue.size, 0);
  queue.done('a');
  assert.equal(await queue.take(), 'a');
});

test('retries wait twice as long each time, up to the limit, and start over once forgotten', async () => {
  const clock = new VirtualClock(0);
  const queue = new KeyedQueue(clock, { initialMs: 10, maximumMs: 25 });
  const waits: number[] = [];
  for (let round = 0; round < 5; round++) {
    if (round === 3) queue.forget('a');
    const before = clock.now();
    queue.retry('a');
    await clock.runUntil(() => queue.size === 1, { limitMs: 1000 });
    waits.push(clock.now() - before);
    await queue.take();
    queue.done('a');
  }
  assert.deepEqual(waits, [10, 20, 25, 10, 20]);
});

test('of several delays for one key the earliest wins', async () => {
  const clock = new VirtualClock(0);
  const queue = new KeyedQueue(clock);
  queue.addAfter('a', 500);
  queue.addAfter('a', 100);
  queue.addAfter('a', 900);
  await clock.runUntil(() => queue.size === 1, { limitMs: 1000 });
  assert.equal(clock.now(), 100);
  await clock.advance(1000);
  assert.equal(queue.size, 1);
});

test('closing tells everybody who waits', async () => {
  const queue = new KeyedQueue(new VirtualClock());
  const waiting = queue.take();
  queue.close();
  assert.equal(await waiting, undefined);
  queue.add('a');
  assert.equal(await queue.take(), undefined);
});
