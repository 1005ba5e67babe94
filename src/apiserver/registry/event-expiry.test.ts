import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Event } from '#kinds/generated/handles.ts';
import { startApiServer } from '#testing/cluster.ts';

const namespace = 'default';
const event = (name: string) => ({
  metadata: { name, namespace },
  involvedObject: { kind: 'Pod', namespace, name: 'web' },
  reason: 'Tested',
});
const hour = 3600_000;

test('an event is gone an hour after it was written last, also when the server has been started anew', async () => {
  const first = await startApiServer();
  const { client, environment } = first;
  const names = async () => (await second.client.list(Event)).items.map(({ metadata }) => metadata.name);
  await client.create(Event, event('old'));
  const renewed = await client.create(Event, event('renewed'));
  await environment.clock.advance(hour / 2);
  await client.update(Event, { ...renewed, count: 2, lastTimestamp: '2026-01-01T00:30:00Z' });
  first.server.stop();
  const second = await startApiServer({ store: first.store });
  await second.environment.clock.advance(hour / 2);
  await second.client.create(Event, event('young'));
  assert.deepEqual(await names(), ['old', 'renewed', 'young']);
  await second.environment.clock.advance(hour / 2 + 120_000);
  assert.deepEqual(await names(), ['renewed', 'young']);
  await second.environment.clock.advance(hour);
  assert.deepEqual(await names(), []);
  await second.stop();
});
