import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startApiServer } from '#testing/cluster.ts';
import { type HealthCheck, healthChecks } from './health.ts';

const failures = async (checks: readonly HealthCheck[]): Promise<readonly string[]> => {
  const results = await Promise.all(checks.map(async ({ name, check }) => ({ name, failure: await check() })));
  return results.filter(({ failure }) => failure !== undefined).map(({ name }) => name);
};

test('a running server is live and ready under the names that tools know', async () => {
  const { server, stop } = await startApiServer();
  const { live, ready } = healthChecks(server, { stopping: new AbortController().signal });
  const names = ready.map(({ name }) => name);
  assert.ok(names.includes('poststarthook/crd-informer-synced') && names.includes('autoregister-completion'));
  assert.deepEqual(
    names.filter((name) => !name.startsWith('poststarthook/') && name !== 'autoregister-completion'),
    ['ping', 'log', 'etcd', 'etcd-readiness', 'informer-sync', 'shutdown'],
  );
  assert.deepEqual(await failures([...live, ...ready]), []);
  await stop();
});

test('a server that shuts down stays live and is no longer ready', async () => {
  const { server, stop } = await startApiServer();
  const stopping = new AbortController();
  const { live, ready } = healthChecks(server, { stopping: stopping.signal });
  stopping.abort();
  assert.deepEqual(await failures(live), []);
  assert.deepEqual(await failures(ready), ['shutdown']);
  await stop();
});

test('a server whose caches no longer follow the store is not ready', async () => {
  const { server, stop } = await startApiServer();
  const { ready } = healthChecks(server, { stopping: new AbortController().signal });
  server.resources.close();
  assert.deepEqual(await failures(ready), ['informer-sync']);
  await stop();
});
