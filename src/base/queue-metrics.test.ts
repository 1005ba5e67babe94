import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeyedQueue } from './keyed-queue.ts';
import { Metrics } from './metrics.ts';
import { queueObserver } from './queue-metrics.ts';
import { VirtualClock } from './virtual-clock.ts';

test('a queue tells how much is in it, how long keys waited and how long they were worked on', async () => {
  const clock = new VirtualClock();
  const metrics = new Metrics();
  const queue = new KeyedQueue(clock);
  queue.observer = queueObserver({ clock, metrics }, 'deployment', () => queue.size);
  queue.add('a');
  queue.add('b');
  await clock.advance(2_000);
  assert.equal(await queue.take(), 'a');
  await clock.advance(500);
  const during = metrics.render();
  assert.match(during, /^workqueue_depth\{name="deployment"\} 1$/m);
  assert.match(during, /^workqueue_unfinished_work_seconds\{name="deployment"\} 0.5$/m);
  queue.done('a');
  queue.retry('a');
  const after = metrics.render();
  assert.match(after, /^workqueue_adds_total\{name="deployment"\} 2$/m);
  assert.match(after, /^workqueue_retries_total\{name="deployment"\} 1$/m);
  assert.match(after, /^workqueue_queue_duration_seconds_sum\{name="deployment"\} 2$/m);
  assert.match(after, /^workqueue_work_duration_seconds_sum\{name="deployment"\} 0.5$/m);
});
