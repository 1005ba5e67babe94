import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigMap } from '#kinds/generated/handles.ts';
import { startApiServer } from '#testing/cluster.ts';

/** Whether the first revision of an object can still be read some minutes after it was replaced. */
async function isForgotten({ compactionMs, minutes }: { readonly compactionMs: number; readonly minutes: number }) {
  const { client, environment, store, stop } = await startApiServer({ compactionMs });
  const place = { name: 'a', namespace: 'default' };
  const { metadata } = await client.create(ConfigMap, { metadata: place });
  await client.update(ConfigMap, { metadata: place, data: { a: 'b' } });
  await environment.clock.advance(minutes * 60_000);
  const { outcome } = await store.range('/registry/configmaps/', { revision: Number(metadata.resourceVersion) });
  await stop();
  return outcome === 'compacted';
}

test('what was replaced is forgotten after two intervals, and never where somebody else sees to it', async () => {
  const minute = 60_000;
  assert.deepEqual(
    [
      await isForgotten({ compactionMs: 2 * minute, minutes: 3 }),
      await isForgotten({ compactionMs: 2 * minute, minutes: 5 }),
      await isForgotten({ compactionMs: 10 * minute, minutes: 5 }),
      await isForgotten({ compactionMs: 0, minutes: 60 }),
    ],
    [false, true, false, false],
  );
});
