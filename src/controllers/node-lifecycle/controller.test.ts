import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Node as NodeKind, Pod as PodKind } from '#kinds/generated/handles.ts';
import type { Node } from '#kinds/generated/types/core_v1.ts';
import { startControlPlane, type TestControlPlane } from '#testing/control-plane.ts';
import { CidrPool } from '../node-ipam/cidr.ts';

const namespace = 'default';
let plane: TestControlPlane;

before(async () => {
  plane = await startControlPlane({ nodes: ['a', 'b'] });
});

after(() => plane.stop());

const nodeOf = (name: string) => plane.client.get(NodeKind, { name });
const taintsOf = ({ spec }: Node) => (spec?.taints ?? []).map(({ key, effect }) => `${key}:${effect}`).sort();
const readyStatus = ({ status }: Node) => status?.conditions?.find(({ type }) => type === 'Ready')?.status;

test('a ready node loses the taint that it was registered with', async () => {
  const node = await plane.until(
    () => nodeOf('a'),
    (current) => taintsOf(current).length === 0,
  );
  assert.equal(readyStatus(node), 'True');
});

test('a cordoned node is tainted until it is uncordoned', async () => {
  const cordon = (unschedulable: boolean) =>
    plane.client.patch(NodeKind, { name: 'b' }, { type: 'merge', body: { spec: { unschedulable } } });
  await cordon(true);
  await plane.until(
    () => nodeOf('b'),
    (node) => taintsOf(node).includes('node.kubernetes.io/unschedulable:NoSchedule'),
  );
  await cordon(false);
  await plane.until(
    () => nodeOf('b'),
    (node) => taintsOf(node).length === 0,
  );
});

test('a silent node is marked, its pods lose readiness at once and are evicted when they no longer tolerate it', async () => {
  const { client } = plane;
  const containers = [{ name: 'a', image: 'a' }];
  const tolerations = [
    { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 60 },
  ];
  await client.create(PodKind, {
    metadata: { name: 'p', namespace },
    spec: { containers, tolerations, nodeName: 'b' },
  });
  const podOf = () => client.get(PodKind, { name: 'p', namespace });
  await plane.until(podOf, ({ status }) => status?.phase === 'Running');
  plane.silence('b');
  const lost = await plane.until(
    () => nodeOf('b'),
    (node) => readyStatus(node) === 'Unknown',
  );
  assert.equal(lost.status?.conditions?.[0]?.message, 'Kubelet stopped posting node status.');
  const tainted = await plane.until(
    () => nodeOf('b'),
    (node) => taintsOf(node).length === 2,
  );
  assert.deepEqual(taintsOf(tainted), [
    'node.kubernetes.io/unreachable:NoExecute',
    'node.kubernetes.io/unreachable:NoSchedule',
  ]);
  const unready = await plane.until(podOf, ({ status }) => {
    return status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'False';
  });
  assert.equal(unready.metadata.deletionTimestamp, undefined);
  const pods = () => client.list(PodKind, { namespace });
  await plane.clock.advance(50_000);
  assert.equal((await pods()).items.length, 1);
  await plane.until(pods, ({ items }) => items.length === 0, 20);
  const told = plane.metrics.render();
  for (const line of [
    'node_collector_evictions_total{zone=""} 1',
    'node_collector_zone_size{zone=""} 2',
    'node_collector_zone_health{zone=""} 50',
    'node_collector_unhealthy_nodes_in_zone{zone=""} 1',
    'taint_eviction_controller_pod_deletions_total 1',
  ])
    assert.ok(told.includes(`${line}\n`), line);
});

test('a pool hands out parts once, and again after they were given back', () => {
  const pool = new CidrPool('10.244.0.0/22', 24);
  pool.occupy('10.244.1.0/24');
  assert.deepEqual(
    [pool.take(), pool.take(), pool.take(), pool.take()],
    ['10.244.0.0/24', '10.244.2.0/24', '10.244.3.0/24', undefined],
  );
  pool.release('10.244.2.0/24');
  assert.equal(pool.take(), '10.244.2.0/24');
});
