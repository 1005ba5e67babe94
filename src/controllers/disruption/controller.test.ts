import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ClusterRole, Deployment, PodDisruptionBudget } from '#kinds/generated/handles.ts';
import { startControlPlane, type TestControlPlane } from '#testing/control-plane.ts';

const namespace = 'default';
let plane: TestControlPlane;

before(async () => {
  plane = await startControlPlane();
});

after(() => plane.stop());

test('a budget says how many pods may go, from the size of the deployment', async () => {
  const { client } = plane;
  const labels = { app: 'web' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'a', image: 'a' }] } };
  const spec = { replicas: 4, selector: { matchLabels: labels }, template };
  await client.create(Deployment, { metadata: { name: 'web', namespace }, spec });
  const selector = { matchLabels: labels };
  await client.create(PodDisruptionBudget, {
    metadata: { name: 'half', namespace },
    spec: { minAvailable: '50%', selector },
  });
  await client.create(PodDisruptionBudget, {
    metadata: { name: 'one', namespace },
    spec: { maxUnavailable: 1, selector },
  });
  const ask = (name: string) => () => client.get(PodDisruptionBudget, { name, namespace });
  const half = await plane.until(ask('half'), ({ status }) => status?.currentHealthy === 4);
  assert.deepEqual(
    [half.status?.expectedPods, half.status?.desiredHealthy, half.status?.disruptionsAllowed],
    [4, 2, 2],
  );
  const one = await plane.until(ask('one'), ({ status }) => status?.currentHealthy === 4);
  assert.deepEqual([one.status?.desiredHealthy, one.status?.disruptionsAllowed], [3, 1]);
});

test('an aggregated role takes over the rules of roles that carry its label', async () => {
  const { client } = plane;
  const rules = [{ apiGroups: ['demo.dev'], resources: ['lamps'], verbs: ['get'] }];
  const labels = { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' };
  await client.create(ClusterRole, { metadata: { name: 'lamp-viewer', labels }, rules });
  const ask = () => client.get(ClusterRole, { name: 'view' });
  await plane.until(ask, (role) => (role.rules ?? []).some(({ resources }) => resources?.includes('lamps')));
});
