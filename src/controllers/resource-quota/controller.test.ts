import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigMap, Pod as PodKind, ResourceQuota, Secret, ServiceAccount } from '#kinds/generated/handles.ts';
import { startControlPlane } from '#testing/control-plane.ts';

test('a quota shows what is used, and gives back what ended', async (t) => {
  const namespace = 'default';
  const plane = await startControlPlane({ ends: (pod) => (pod.metadata.name === 'short' ? 'Succeeded' : undefined) });
  t.after(() => plane.stop());
  const { client } = plane;
  const hard = { pods: '5', 'requests.cpu': '2', 'count/configmaps': '10', 'count/deployments.apps': '1' };
  await client.create(ResourceQuota, { metadata: { name: 'team', namespace }, spec: { hard } });
  await plane.clock.advance(100);
  const containers = [{ name: 'a', image: 'a', resources: { requests: { cpu: '250m' } } }];
  for (const name of ['long', 'short'])
    await client.create(PodKind, { metadata: { name, namespace }, spec: { containers } });
  await client.create(ConfigMap, { metadata: { name: 'extra', namespace } });
  const ask = () => client.get(ResourceQuota, { name: 'team', namespace });
  const isCounted = ({ status }: { readonly status?: { readonly used?: Readonly<Record<string, string>> } }) =>
    status?.used?.['pods'] === '1' && status.used['count/configmaps'] === '2';
  const { status } = await plane.until(ask, isCounted);
  assert.deepEqual(status?.used, {
    pods: '1',
    'requests.cpu': '250m',
    'count/configmaps': '2',
    'count/deployments.apps': '0',
  });
});

test('a token does not outlive its service account', async (t) => {
  const namespace = 'default';
  const plane = await startControlPlane({ nodes: [] });
  t.after(() => plane.stop());
  const { client } = plane;
  const account = await client.create(ServiceAccount, { metadata: { name: 'robot', namespace } });
  const annotations = {
    'kubernetes.io/service-account.name': 'robot',
    'kubernetes.io/service-account.uid': account.metadata.uid!,
  };
  const type = 'kubernetes.io/service-account-token';
  await client.create(Secret, { metadata: { name: 'robot-token', namespace, annotations }, type });
  const secrets = async () => (await client.list(Secret, { namespace })).items.length;
  await plane.clock.advance(1_000);
  assert.equal(await secrets(), 1);
  await client.delete(ServiceAccount, { name: 'robot', namespace });
  await plane.until(secrets, (count) => count === 0, 5);
});
