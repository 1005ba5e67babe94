import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  DaemonSet as DaemonSetKind,
  Pod as PodKind,
  StatefulSet as StatefulSetKind,
} from '#kinds/generated/handles.ts';
import type { StatefulSet } from '#kinds/generated/types/apps_v1.ts';
import { startControlPlane, type TestControlPlane } from '#testing/control-plane.ts';

const namespace = 'default';
let plane: TestControlPlane;

before(async () => {
  plane = await startControlPlane({ ready: (pod) => pod.spec?.containers[0]?.image !== 'broken' });
});

after(() => plane.stop());

function stateful(name: string, image: string, change: Partial<StatefulSet['spec']> = {}): StatefulSet {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'a', image }] } };
  return {
    metadata: { name, namespace },
    spec: { replicas: 3, serviceName: name, selector: { matchLabels: labels }, template, ...change },
  };
}

const setOf = (name: string) => plane.client.get(StatefulSetKind, { name, namespace });

async function podsOf(name: string) {
  const { items } = await plane.client.list(PodKind, { namespace, labelSelector: `app=${name}` });
  return items;
}

test('pods get lasting names, one after the other', async () => {
  await plane.client.create(StatefulSetKind, stateful('db', 'v1'));
  const set = await plane.until(
    () => setOf('db'),
    ({ status }) => status?.readyReplicas === 3,
  );
  assert.equal(set.status?.currentRevision, set.status?.updateRevision);
  const pods = await podsOf('db');
  assert.deepEqual(pods.map(({ metadata }) => metadata.name).sort(), ['db-0', 'db-1', 'db-2']);
  assert.equal(pods[0]?.spec?.subdomain, 'db');
  const versions = pods.map(({ metadata }) => [metadata.name, metadata.uid] as const);
  await plane.client.delete(PodKind, { name: 'db-1', namespace });
  await plane.clock.advance(2_000);
  await plane.until(
    () => setOf('db'),
    ({ status }) => status?.readyReplicas === 3,
  );
  const changed = (await podsOf('db')).filter(({ metadata }) => !versions.some(([, uid]) => uid === metadata.uid));
  assert.deepEqual(
    changed.map(({ metadata }) => metadata.name),
    ['db-1'],
  );
});

test('an update goes from the highest ordinal down and stops at a broken pod; going back repairs it', async () => {
  const { client } = plane;
  await client.create(StatefulSetKind, stateful('up', 'v1'));
  const first = await plane.until(
    () => setOf('up'),
    ({ status }) => status?.readyReplicas === 3,
  );
  await client.update(StatefulSetKind, {
    ...first,
    spec: { ...first.spec, template: stateful('up', 'broken').spec.template },
  });
  await plane.clock.advance(20_000);
  const images = async () =>
    (await podsOf('up')).map(({ metadata, spec }) => `${metadata.name} ${spec?.containers[0]?.image}`);
  assert.deepEqual((await images()).sort(), ['up-0 v1', 'up-1 v1', 'up-2 broken']);
  const broken = await setOf('up');
  await client.update(StatefulSetKind, {
    ...broken,
    spec: { ...broken.spec, template: stateful('up', 'v2').spec.template },
  });
  const last = await plane.until(
    () => setOf('up'),
    ({ status }) => status?.updatedReplicas === 3 && status.readyReplicas === 3,
  );
  assert.equal(last.status?.currentRevision, last.status?.updateRevision);
  assert.deepEqual((await images()).sort(), ['up-0 v2', 'up-1 v2', 'up-2 v2']);
});

test('a partition keeps lower ordinals on the old template', async () => {
  const { client } = plane;
  const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { partition: 2 } };
  await client.create(StatefulSetKind, stateful('part', 'v1', { updateStrategy }));
  const first = await plane.until(
    () => setOf('part'),
    ({ status }) => status?.readyReplicas === 3,
  );
  await client.update(StatefulSetKind, {
    ...first,
    spec: { ...first.spec, template: stateful('part', 'v2').spec.template },
  });
  await plane.until(
    () => setOf('part'),
    ({ status }) => status?.updatedReplicas === 1 && status.readyReplicas === 3,
  );
  await client.delete(PodKind, { name: 'part-0', namespace });
  await plane.clock.advance(5_000);
  const images = (await podsOf('part')).map(({ metadata, spec }) => `${metadata.name} ${spec?.containers[0]?.image}`);
  assert.deepEqual(images.sort(), ['part-0 v1', 'part-1 v1', 'part-2 v2']);
});

test('scaling down removes the highest ordinals first', async () => {
  const { client } = plane;
  await client.create(StatefulSetKind, stateful('less', 'v1'));
  const first = await plane.until(
    () => setOf('less'),
    ({ status }) => status?.readyReplicas === 3,
  );
  await client.update(StatefulSetKind, { ...first, spec: { ...first.spec, replicas: 1 } });
  await plane.until(
    () => setOf('less'),
    ({ status }) => status?.replicas === 1,
  );
  assert.deepEqual(
    (await podsOf('less')).map(({ metadata }) => metadata.name),
    ['less-0'],
  );
});

test('a daemon set has one pod on every node, follows new nodes, and rolls out a template', async () => {
  const { client } = plane;
  const name = 'agent';
  const labels = { app: name };
  const spec = (image: string) => ({
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: 'a', image }] } },
  });
  await client.create(DaemonSetKind, { metadata: { name, namespace }, spec: spec('v1') });
  const ask = () => client.get(DaemonSetKind, { name, namespace });
  await plane.until(ask, ({ status }) => status?.numberAvailable === 3);
  await plane.addNode('d');
  const four = await plane.until(ask, ({ status }) => status?.numberAvailable === 4);
  assert.equal(new Set((await podsOf(name)).map((pod) => pod.spec?.nodeName)).size, 4);
  await client.update(DaemonSetKind, { ...four, spec: { ...four.spec!, ...spec('v2') } });
  await plane.until(ask, ({ status, metadata }) => status?.observedGeneration === metadata.generation);
  await plane.until(ask, ({ status }) => status?.updatedNumberScheduled === 4 && status.numberAvailable === 4);
  assert.deepEqual([...new Set((await podsOf(name)).map((pod) => pod.spec?.containers[0]?.image))], ['v2']);
});
