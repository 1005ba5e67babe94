import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { DeleteOptions } from '#client/client.ts';
import { ConfigMap, Deployment, Event, Namespace, Pod as PodKind, ReplicaSet } from '#kinds/generated/handles.ts';
import { startControlPlane, type TestControlPlane } from '#testing/control-plane.ts';

const namespace = 'default';
let plane: TestControlPlane;

before(async () => {
  plane = await startControlPlane();
});

after(() => plane.stop());

async function deploy(name: string): Promise<void> {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'a', image: 'a' }] } };
  const spec = { replicas: 2, selector: { matchLabels: labels }, template };
  await plane.client.create(Deployment, { metadata: { name, namespace }, spec });
  await plane.until(
    () => count(name),
    ({ pods }) => pods === 2,
  );
}

async function count(name: string) {
  const options = { namespace, labelSelector: `app=${name}` };
  const deployments = await plane.client.list(Deployment, { namespace, fieldSelector: `metadata.name=${name}` });
  const sets = await plane.client.list(ReplicaSet, options);
  const pods = await plane.client.list(PodKind, options);
  return { deployments: deployments.items.length, sets: sets.items.length, pods: pods.items.length };
}

async function deleteBy(name: string, propagationPolicy: NonNullable<DeleteOptions['propagationPolicy']>) {
  await plane.client.delete(Deployment, { name, namespace }, { propagationPolicy });
}

test('in the background, what a deployment owns goes after it', async () => {
  await deploy('back');
  await deleteBy('back', 'Background');
  assert.equal((await count('back')).deployments, 0);
  await plane.until(
    () => count('back'),
    ({ sets, pods }) => sets === 0 && pods === 0,
    10,
  );
});

test('in the foreground, the deployment goes last', async () => {
  await deploy('fore');
  await deleteBy('fore', 'Foreground');
  assert.equal((await count('fore')).deployments, 1);
  await plane.until(
    () => count('fore'),
    ({ deployments, sets, pods }) => deployments + sets + pods === 0,
    10,
  );
});

test('orphaned replica sets keep running', async () => {
  await deploy('orphan');
  await deleteBy('orphan', 'Orphan');
  await plane.until(
    () => count('orphan'),
    ({ deployments }) => deployments === 0,
    10,
  );
  await plane.clock.advance(5_000);
  assert.deepEqual(await count('orphan'), { deployments: 0, sets: 1, pods: 2 });
  const sets = await plane.client.list(ReplicaSet, { namespace, labelSelector: 'app=orphan' });
  assert.deepEqual(sets.items[0]?.metadata.ownerReferences ?? [], []);
});

test('an object whose owner never existed is deleted; one with another owner left is kept', async () => {
  const { client } = plane;
  const absent = { apiVersion: 'v1', kind: 'ConfigMap', name: 'nobody', uid: '11111111-1111-4111-8111-111111111111' };
  const owner = await client.create(ConfigMap, { metadata: { name: 'owner', namespace } });
  const present = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: owner.metadata.uid! };
  await client.create(ConfigMap, { metadata: { name: 'lost', namespace, ownerReferences: [absent] } });
  await client.create(ConfigMap, { metadata: { name: 'kept', namespace, ownerReferences: [absent, present] } });
  await plane.clock.advance(2_000);
  const { items } = await client.list(ConfigMap, { namespace });
  const names = items.map(({ metadata }) => metadata.name);
  assert.ok(names.includes('kept') && !names.includes('lost'));
  const kept = await client.get(ConfigMap, { name: 'kept', namespace });
  assert.deepEqual(
    kept.metadata.ownerReferences?.map(({ name }) => name),
    ['owner'],
  );
});

test('a circle of owners does not keep itself', async () => {
  const { client } = plane;
  const names = ['ring-1', 'ring-2', 'ring-3'];
  const containers = [{ name: 'a', image: 'a' }];
  const pods = [];
  for (const name of names) {
    pods.push(
      await client.create(PodKind, { metadata: { name, namespace, labels: { app: 'ring' } }, spec: { containers } }),
    );
  }
  for (const [index, { metadata }] of pods.entries()) {
    const owner = pods[(index + 2) % 3]!.metadata;
    const reference = {
      apiVersion: 'v1',
      kind: 'Pod',
      name: owner.name,
      uid: owner.uid,
      controller: true,
      blockOwnerDeletion: true,
    };
    const body = { metadata: { ownerReferences: [reference] } };
    await client.patch(PodKind, { name: metadata.name!, namespace }, { type: 'merge', body });
  }
  await plane.clock.advance(1_000);
  await client.delete(PodKind, { name: 'ring-1', namespace }, { propagationPolicy: 'Foreground' });
  const left = async () => (await client.list(PodKind, { namespace, labelSelector: 'app=ring' })).items.length;
  await plane.until(left, (count) => count === 0, 60);
});

test('an owner in another namespace is none: the dependent goes, and an event says why', async () => {
  const { client } = plane;
  await client.create(Namespace, { metadata: { name: 'elsewhere' }, spec: {} });
  const owner = await client.create(ConfigMap, { metadata: { name: 'far', namespace } });
  const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'far', uid: owner.metadata.uid! }];
  await client.create(ConfigMap, { metadata: { name: 'misled', namespace: 'elsewhere', ownerReferences } });
  const told = await plane.until(
    () => client.list(Event, { namespace: 'elsewhere', fieldSelector: 'reason=OwnerRefInvalidNamespace' }),
    ({ items }) => items.length > 0,
  );
  const [{ involvedObject, message, type } = {}] = told.items;
  assert.deepEqual([involvedObject?.kind, involvedObject?.name, type], ['ConfigMap', 'misled', 'Warning']);
  const reference = `[v1/ConfigMap, namespace: elsewhere, name: far, uid: ${owner.metadata.uid}]`;
  assert.equal(message, `ownerRef ${reference} does not exist in namespace "elsewhere"`);
  await plane.until(
    () => client.list(ConfigMap, { namespace: 'elsewhere', fieldSelector: 'metadata.name=misled' }),
    ({ items }) => items.length === 0,
  );
});
