import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { Event, Node as NodeKind, Pod as PodKind, PriorityClass } from '#kinds/generated/handles.ts';
import type { Pod, PodSpec } from '#kinds/generated/types/core_v1.ts';
import { startControlPlane, type TestControlPlane } from '#testing/control-plane.ts';

const namespace = 'default';
let plane: TestControlPlane;

beforeEach(async () => {
  await plane?.stop();
  plane = await startControlPlane({ nodes: ['a', 'b'] });
});

after(() => plane.stop());

async function create(name: string, spec: Partial<PodSpec> = {}, labels: Readonly<Record<string, string>> = {}) {
  const containers = [{ name: 'a', image: 'a' }];
  await plane.client.create(PodKind, { metadata: { name, namespace, labels }, spec: { containers, ...spec } });
}

function asking(cpu: string): Partial<PodSpec> {
  return { containers: [{ name: 'a', image: 'a', resources: { requests: { cpu } } }] };
}

const podOf = (name: string) => plane.client.get(PodKind, { name, namespace });
const nodeOf = async (name: string) => (await podOf(name)).spec?.nodeName;
const scheduled = (pod: Pod) => pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');

test('a pod that fits nowhere says why, and is placed when there is room', async () => {
  await create('big-1', asking('3'));
  await create('big-2', asking('3'));
  await create('big-3', asking('3'));
  await plane.clock.advance(1_000);
  const waiting = (await Promise.all(['big-1', 'big-2', 'big-3'].map(podOf))).find(
    (pod) => pod.spec?.nodeName === undefined,
  );
  assert.equal(
    scheduled(waiting!)?.message,
    '0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.',
  );
  const events = await plane.client.list(Event, { namespace });
  const said = events.items.filter(({ reason }) => reason === 'FailedScheduling').map(({ type }) => type);
  assert.deepEqual(said, ['Warning']);
  const placed = ['big-1', 'big-2', 'big-3'].find((name) => name !== waiting?.metadata.name);
  await plane.client.delete(PodKind, { name: placed!, namespace });
  await plane.until(
    () => podOf(waiting!.metadata.name!),
    ({ spec }) => spec?.nodeName !== undefined,
    15,
  );
});

test('a pod waits for a node with its labels', async () => {
  await create('picky', { nodeSelector: { disk: 'fast' } });
  await plane.clock.advance(1_000);
  assert.match(
    scheduled(await podOf('picky'))?.message ?? '',
    /2 node\(s\) didn't match Pod's node affinity\/selector/,
  );
  const body = { metadata: { labels: { disk: 'fast' } } };
  await plane.client.patch(NodeKind, { name: 'b' }, { type: 'merge', body });
  await plane.clock.advance(15_000);
  assert.equal(await nodeOf('picky'), 'b');
});

test('host ports are given once per node', async () => {
  const ports = [{ containerPort: 80, hostPort: 8080 }];
  for (const name of ['p1', 'p2', 'p3']) await create(name, { containers: [{ name: 'a', image: 'a', ports }] });
  await plane.clock.advance(1_000);
  const nodes = await Promise.all(['p1', 'p2', 'p3'].map(nodeOf));
  assert.deepEqual(nodes.filter((node) => node !== undefined).sort(), ['a', 'b']);
});

test('a gated pod is not looked at until its gate is gone', async () => {
  await create('gated', { schedulingGates: [{ name: 'example.com/wait' }] });
  await plane.clock.advance(2_000);
  assert.equal(await nodeOf('gated'), undefined);
  const pod = await podOf('gated');
  await plane.client.update(PodKind, { ...pod, spec: { ...pod.spec!, schedulingGates: [] } });
  await plane.clock.advance(2_000);
  assert.notEqual(await nodeOf('gated'), undefined);
});

test('anti-affinity keeps pods apart and affinity brings them together', async () => {
  const term = { labelSelector: { matchLabels: { app: 'db' } }, topologyKey: 'kubernetes.io/hostname' };
  const apart = { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } };
  for (const name of ['db-1', 'db-2', 'db-3']) await create(name, apart, { app: 'db' });
  await plane.clock.advance(1_000);
  const nodes = await Promise.all(['db-1', 'db-2', 'db-3'].map(nodeOf));
  assert.deepEqual(nodes.filter((node) => node !== undefined).sort(), ['a', 'b']);
  const cache = { labelSelector: { matchLabels: { app: 'cache' } }, topologyKey: 'kubernetes.io/hostname' };
  const together = { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [cache] } } };
  for (const name of ['c-1', 'c-2', 'c-3']) await create(name, together, { app: 'cache' });
  await plane.clock.advance(1_000);
  assert.equal(new Set(await Promise.all(['c-1', 'c-2', 'c-3'].map(nodeOf))).size, 1);
});

test('spread constraints keep the difference between nodes small', async () => {
  const labelSelector = { matchLabels: { app: 'web' } };
  const constraint = {
    maxSkew: 1,
    topologyKey: 'kubernetes.io/hostname',
    whenUnsatisfiable: 'DoNotSchedule',
    labelSelector,
  };
  const names = ['w1', 'w2', 'w3', 'w4', 'w5', 'w6'];
  for (const name of names) await create(name, { topologySpreadConstraints: [constraint] }, { app: 'web' });
  await plane.clock.advance(1_000);
  const nodes = await Promise.all(names.map(nodeOf));
  assert.equal(nodes.filter((node) => node === 'a').length, 3);
});

test('a more important pod takes the place of a less important one', async () => {
  const { client } = plane;
  await client.create(PriorityClass, { metadata: { name: 'high' }, value: 1000 });
  for (const name of ['low-1', 'low-2']) await create(name, asking('3'));
  await plane.clock.advance(1_000);
  await create('vip', { ...asking('3'), priorityClassName: 'high' });
  await plane.until(
    () => podOf('vip'),
    ({ spec }) => spec?.nodeName !== undefined,
    30,
  );
  const left = await client.list(PodKind, { namespace });
  assert.equal(left.items.filter(({ metadata }) => metadata.name?.startsWith('low')).length, 1);
  const events = await client.list(Event, { namespace });
  assert.ok(events.items.some(({ reason }) => reason === 'Preempted'));
});

test('a scheduler tells what it tried, what became of it, and what waits', async () => {
  await create('small', asking('1'));
  await create('gated', { schedulingGates: [{ name: 'a.b/c' }] });
  await create('huge', asking('100'));
  await plane.clock.advance(1_000);
  const page = plane.metrics.render();
  const value = (series: string): string | undefined =>
    page
      .split('\n')
      .find((line) => line.startsWith(`${series} `))
      ?.slice(series.length + 1);
  const phase = 'scheduler_framework_extension_point_duration_seconds';
  const attempts = 'scheduler_schedule_attempts_total{profile="default-scheduler",result=';
  assert.deepEqual(
    [
      `${attempts}"scheduled"}`,
      `${attempts}"unschedulable"}`,
      'scheduler_pending_pods{queue="unschedulable"}',
      'scheduler_pending_pods{queue="gated"}',
      'scheduler_unschedulable_pods{plugin="NodeResourcesFit",profile="default-scheduler"}',
      'scheduler_pod_scheduling_attempts_sum',
      'scheduler_queue_incoming_pods_total{queue="active",event="PodAdd"}',
      'scheduler_preemption_attempts_total',
      `${phase}_count{extension_point="Filter",status="Success",profile="default-scheduler"}`,
      `${phase}_count{extension_point="PostFilter",status="Unschedulable",profile="default-scheduler"}`,
      `${phase}_count{extension_point="Bind",status="Success",profile="default-scheduler"}`,
      'scheduler_plugin_execution_duration_seconds_count{plugin="NodeResourcesFit",extension_point="Filter",status="Success"}',
      'scheduler_plugin_evaluation_total{plugin="NodeResourcesFit",extension_point="PreFilter",profile="default-scheduler"}',
      'scheduler_cache_size{type="nodes"}',
      'scheduler_cache_size{type="pods"}',
    ].map(value),
    ['1', '1', '1', '1', '1', '1', '2', '1', '2', '1', '1', '2', '2', '2', '1'],
  );
});
