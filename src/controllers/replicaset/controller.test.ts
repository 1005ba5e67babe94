import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Pod as PodKind, ReplicaSet as ReplicaSetKind, ReplicationController } from '#kinds/generated/handles.ts';
import type { Pod } from '#kinds/generated/types/core_v1.ts';
import { startControlPlane, type TestControlPlane } from '#testing/control-plane.ts';
import { inDeletionOrder } from './deletion-order.ts';

const namespace = 'default';
let plane: TestControlPlane;

before(async () => {
  plane = await startControlPlane();
});

after(() => plane.stop());

const template = (app: string) => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: 'a', image: 'a' }] },
});

test('a set adopts a pod that it selects, and releases and replaces one that it no longer does', async () => {
  const { client } = plane;
  const { metadata, spec } = template('adopt');
  await client.create(PodKind, { metadata: { ...metadata, name: 'stray', namespace }, spec });
  const set = { replicas: 1, selector: { matchLabels: { app: 'adopt' } }, template: template('adopt') };
  await client.create(ReplicaSetKind, { metadata: { name: 'adopt', namespace }, spec: set });
  const stray = () => client.get(PodKind, { name: 'stray', namespace });
  const adopted = await plane.until(stray, (pod) => pod.metadata.ownerReferences?.[0]?.name === 'adopt');
  assert.equal(adopted.metadata.ownerReferences?.[0]?.controller, true);
  const body = { metadata: { labels: { app: 'other' } } };
  await client.patch(PodKind, { name: 'stray', namespace }, { type: 'merge', body });
  await plane.until(stray, (pod) => (pod.metadata.ownerReferences ?? []).length === 0);
  const pods = () => client.list(PodKind, { namespace, labelSelector: 'app=adopt' });
  await plane.until(pods, ({ items }) => items.length === 1);
});

test('pods that may not be created show in the status', async () => {
  const { client } = plane;
  const broken = {
    metadata: { labels: { app: 'broken' } },
    spec: { serviceAccountName: 'nobody', containers: [{ name: 'a', image: 'a' }] },
  };
  const spec = { replicas: 2, selector: { matchLabels: { app: 'broken' } }, template: broken };
  await client.create(ReplicaSetKind, { metadata: { name: 'broken', namespace }, spec });
  const ask = () => client.get(ReplicaSetKind, { name: 'broken', namespace });
  const set = await plane.until(ask, ({ status }) => (status?.conditions ?? []).length > 0);
  assert.equal(set.status?.conditions?.[0]?.type, 'ReplicaFailure');
  assert.equal(set.status?.conditions?.[0]?.reason, 'FailedCreate');
});

test('a replication controller does the same with a plain selector', async () => {
  const { client } = plane;
  const spec = { replicas: 2, selector: { app: 'rc' }, template: template('rc') };
  await client.create(ReplicationController, { metadata: { name: 'rc', namespace }, spec });
  const ask = () => client.get(ReplicationController, { name: 'rc', namespace });
  const before = await plane.until(ask, ({ status }) => status?.readyReplicas === 2);
  await client.update(ReplicationController, { ...before, spec: { ...before.spec, replicas: 0 } });
  await plane.until(ask, ({ status }) => status?.replicas === 0);
});

test('a shrinking set gives up first what serves least', () => {
  const nowMs = Date.parse('2026-01-02T00:00:00Z');
  const pod = (name: string, nodeName: string | undefined, phase: string, ready: boolean, cost?: string): Pod => ({
    metadata: {
      name,
      uid: name,
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...(cost === undefined ? {} : { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } }),
    },
    spec: { containers: [], ...(nodeName === undefined ? {} : { nodeName }) },
    status: {
      phase,
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: '2026-01-01T00:00:00Z' }],
    },
  });
  const pods = [
    pod('costly', 'a', 'Running', true, '10'),
    pod('crowded', 'b', 'Running', true),
    pod('plain', 'a', 'Running', true),
    pod('unready', 'a', 'Running', false),
    pod('pending', 'a', 'Pending', false),
    pod('unbound', undefined, 'Pending', false),
  ];
  const crowd = ({ spec }: Pod) => (spec?.nodeName === 'b' ? 5 : 1);
  const order = inDeletionOrder(pods, crowd, nowMs).map(({ metadata }) => metadata.name);
  assert.deepEqual(order, ['unbound', 'pending', 'unready', 'crowded', 'plain', 'costly']);
});
