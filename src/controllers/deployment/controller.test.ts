import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  Deployment as DeploymentKind,
  Event,
  Pod as PodKind,
  ReplicaSet as ReplicaSetKind,
} from '#kinds/generated/handles.ts';
import type { Deployment } from '#kinds/generated/types/apps_v1.ts';
import { startControlPlane, type TestControlPlane } from '#testing/control-plane.ts';

let plane: TestControlPlane;

before(async () => {
  plane = await startControlPlane({ ready: (pod) => !pod.spec!.containers[0]!.image!.includes('broken') });
});

after(() => plane.stop());

function web(name: string, image: string, spec: Partial<Deployment['spec']> = {}): Deployment {
  const labels = { app: name };
  return {
    metadata: { name, namespace: 'default' },
    spec: {
      replicas: 3,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'web', image }] } },
      ...spec,
    },
  };
}

function until(name: string, condition: (deployment: Deployment) => boolean): Promise<Deployment> {
  return plane.until(() => plane.client.get(DeploymentKind, { name, namespace: 'default' }), condition);
}

const isRolledOut = ({ metadata, spec, status = {} }: Deployment) =>
  status.observedGeneration === metadata.generation &&
  status.updatedReplicas === spec.replicas &&
  status.replicas === spec.replicas &&
  status.availableReplicas === spec.replicas;

async function setsOf(name: string) {
  const { items } = await plane.client.list(ReplicaSetKind, { namespace: 'default', labelSelector: `app=${name}` });
  return items;
}

test('a deployment becomes pods on nodes, and says so in its status', async () => {
  await plane.client.create(DeploymentKind, web('web', 'v1'));
  const deployment = await until('web', isRolledOut);
  assert.equal(deployment.metadata.annotations?.['deployment.kubernetes.io/revision'], '1');
  assert.deepEqual(deployment.status?.conditions?.map(({ type, status, reason }) => [type, status, reason]).sort(), [
    ['Available', 'True', 'MinimumReplicasAvailable'],
    ['Progressing', 'True', 'NewReplicaSetAvailable'],
  ]);
  const pods = await plane.client.list(PodKind, { namespace: 'default', labelSelector: 'app=web' });
  assert.equal(pods.items.length, 3);
  assert.equal(new Set(pods.items.map((pod) => pod.spec?.nodeName)).size, 3);
  const events = await plane.client.list(Event, { namespace: 'default' });
  const said = new Set(events.items.map(({ reason }) => reason));
  for (const reason of ['ScalingReplicaSet', 'SuccessfulCreate', 'Scheduled']) assert.ok(said.has(reason), reason);
});

test('a new image rolls out through a second replica set and can be undone', async () => {
  const { client } = plane;
  await client.create(DeploymentKind, web('roll', 'v1'));
  const first = await until('roll', isRolledOut);
  await client.update(DeploymentKind, { ...first, spec: web('roll', 'v2').spec });
  const second = await until('roll', isRolledOut);
  assert.equal(second.metadata.annotations?.['deployment.kubernetes.io/revision'], '2');
  assert.deepEqual((await setsOf('roll')).map(({ spec }) => spec?.replicas).sort(), [0, 3]);
  await client.update(DeploymentKind, { ...second, spec: web('roll', 'v1').spec });
  const third = await until('roll', isRolledOut);
  assert.equal(third.metadata.annotations?.['deployment.kubernetes.io/revision'], '3');
  assert.equal((await setsOf('roll')).length, 2);
  // The revisions that the controller wrote count for nothing; an annotation of a user's does.
  assert.deepEqual(
    [first, second, third].map(({ metadata }) => metadata.generation),
    [1, 2, 3],
  );
  const annotations = { ...third.metadata.annotations, 'kubernetes.io/change-cause': 'back to v1' };
  await client.update(DeploymentKind, { ...third, metadata: { ...third.metadata, annotations } });
  const annotated = await until('roll', isRolledOut);
  assert.deepEqual([annotated.metadata.generation, annotated.status?.observedGeneration], [4, 4]);
});

test('a broken image stops the rollout before availability is lost, and misses its deadline', async () => {
  const { client } = plane;
  await client.create(DeploymentKind, web('stuck', 'v1', { progressDeadlineSeconds: 30 }));
  const first = await until('stuck', isRolledOut);
  const spec = { ...web('stuck', 'broken').spec, progressDeadlineSeconds: 30 };
  await client.update(DeploymentKind, { ...first, spec });
  const failed = await until('stuck', ({ status }) =>
    (status?.conditions ?? []).some(({ reason }) => reason === 'ProgressDeadlineExceeded'),
  );
  assert.equal(failed.status?.availableReplicas, 3);
  assert.equal(failed.status?.updatedReplicas, 1);
});

test('recreate removes every old pod before it makes a new one', async () => {
  const { client } = plane;
  const strategy = { type: 'Recreate' };
  await client.create(DeploymentKind, web('again', 'v1', { strategy }));
  const first = await until('again', isRolledOut);
  await client.update(DeploymentKind, {
    ...first,
    spec: { ...first.spec, template: web('again', 'v2').spec.template },
  });
  await until('again', isRolledOut);
  const pods = await client.list(PodKind, { namespace: 'default', labelSelector: 'app=again' });
  assert.deepEqual([...new Set(pods.items.map((pod) => pod.spec?.containers[0]?.image))], ['v2']);
});

test('old replica sets beyond the history limit are deleted', async () => {
  const { client } = plane;
  await client.create(DeploymentKind, web('short', 'v1', { revisionHistoryLimit: 1 }));
  for (const image of ['v2', 'v3', 'v4']) {
    const current = await until('short', isRolledOut);
    await client.update(DeploymentKind, {
      ...current,
      spec: { ...current.spec, template: web('short', image).spec.template },
    });
  }
  await until('short', isRolledOut);
  await plane.clock.advance(1000);
  assert.equal((await setsOf('short')).length, 2);
});

test('a lost pod is replaced and a surplus one is removed', async () => {
  const { client } = plane;
  await client.create(DeploymentKind, web('heal', 'v1'));
  const current = await until('heal', isRolledOut);
  const pods = await client.list(PodKind, { namespace: 'default', labelSelector: 'app=heal' });
  await client.delete(PodKind, { name: pods.items[0]!.metadata.name!, namespace: 'default' });
  await plane.clock.advance(1000);
  const healed = await until('heal', isRolledOut);
  await client.update(DeploymentKind, { ...healed, spec: { ...current.spec, replicas: 1 } });
  await until('heal', isRolledOut);
  const left = await client.list(PodKind, { namespace: 'default', labelSelector: 'app=heal' });
  assert.equal(left.items.length, 1);
});
