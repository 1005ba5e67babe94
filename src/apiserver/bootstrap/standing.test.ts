import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Namespace, Service, ServiceCIDR } from '#kinds/generated/handles.ts';
import { startApiServer } from '#testing/cluster.ts';

test('the service of the API server comes back to its address when somebody deletes all services', async () => {
  const { client, environment, stop } = await startApiServer();
  const ref = { namespace: 'default', name: 'kubernetes' };
  const before = await client.get(Service, ref);
  await client.deleteCollection(Service, { namespace: 'default' });
  await client.delete(Namespace, { name: 'kube-node-lease' });
  await environment.clock.advance(20_000);
  const after = await client.get(Service, ref);
  assert.notEqual(after.metadata.uid, before.metadata.uid);
  assert.deepEqual(after.spec, before.spec);
  assert.equal((await client.get(ServiceCIDR, { name: 'kubernetes' })).spec?.cidrs?.length, 1);
  await stop();
});
