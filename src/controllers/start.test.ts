import { test } from 'node:test';
import { ConfigMap } from '#kinds/generated/handles.ts';
import { startApiServer } from '#testing/cluster.ts';
import { startControllers } from './index.ts';

test('controllers that are stopped while they start end, at whatever moment', { timeout: 30_000 }, async () => {
  for (let writes = 0; writes < 12; writes++) {
    const { client, environment, stop } = await startApiServer();
    const stopping = new AbortController();
    const running = startControllers({ client, environment, rootCa: 'an authority' }, stopping.signal);
    // Each write lets the start go on a little.
    for (let write = 0; write < writes; write++)
      await client.create(ConfigMap, { metadata: { name: `c${write}`, namespace: 'default' } });
    stopping.abort();
    await running;
    await stop();
  }
});
