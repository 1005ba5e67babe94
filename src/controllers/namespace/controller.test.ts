import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ConfigMap, Namespace, Pod as PodKind, ServiceAccount } from '#kinds/generated/handles.ts';
import { isReason } from '#machinery/errors.ts';
import { startControlPlane, type TestControlPlane } from '#testing/control-plane.ts';

let plane: TestControlPlane;

before(async () => {
  plane = await startControlPlane();
});

after(() => plane.stop());

test('a new namespace gets a service account and the root authority', async () => {
  const { client } = plane;
  await client.create(Namespace, { metadata: { name: 'fresh' }, spec: {} });
  await plane.clock.advance(100);
  await client.get(ServiceAccount, { name: 'default', namespace: 'fresh' });
  const map = await client.get(ConfigMap, { name: 'kube-root-ca.crt', namespace: 'fresh' });
  assert.equal(map.data?.['ca.crt'], 'an authority');
  await client.delete(ConfigMap, { name: 'kube-root-ca.crt', namespace: 'fresh' });
  await plane.clock.advance(100);
  await client.get(ConfigMap, { name: 'kube-root-ca.crt', namespace: 'fresh' });
});

test('a deleted namespace is emptied and goes', async () => {
  const { client } = plane;
  await client.create(Namespace, { metadata: { name: 'going' }, spec: {} });
  await plane.clock.advance(100);
  const namespace = 'going';
  await client.create(ConfigMap, { metadata: { name: 'a', namespace } });
  await client.create(PodKind, {
    metadata: { name: 'a', namespace },
    spec: { containers: [{ name: 'a', image: 'a' }] },
  });
  await plane.clock.advance(1000);
  await client.delete(Namespace, { name: namespace });
  const gone = () => client.get(Namespace, { name: namespace }).catch((error: unknown) => isReason(error, 'NotFound'));
  await plane.until(gone, (answer) => answer === true, 30);
});

test('content with a finalizer holds the namespace, which says so', async () => {
  const { client } = plane;
  const namespace = 'held';
  await client.create(Namespace, { metadata: { name: namespace }, spec: {} });
  await plane.clock.advance(100);
  const metadata = { name: 'a', namespace, finalizers: ['example.com/wait'] };
  await client.create(ConfigMap, { metadata });
  await client.delete(Namespace, { name: namespace });
  const ask = () => client.get(Namespace, { name: namespace });
  const held = await plane.until(ask, ({ status }) => (status?.conditions ?? []).length > 0);
  assert.equal(held.status?.phase, 'Terminating');
  assert.deepEqual(
    held.status?.conditions?.filter(({ status }) => status === 'True').map(({ message }) => message),
    [
      'Some resources are remaining: configmaps. has 1 resource instances',
      'Some content in the namespace has finalizers remaining: example.com/wait in 1 resource instances',
    ],
  );
  const body = { metadata: { finalizers: null } };
  await client.patch(ConfigMap, { name: 'a', namespace }, { type: 'merge', body });
  const gone = () => client.get(Namespace, { name: namespace }).catch((error: unknown) => isReason(error, 'NotFound'));
  await plane.until(gone, (answer) => answer === true, 30);
});
