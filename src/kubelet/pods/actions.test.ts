import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container, Pod } from '#kinds/generated/types/core_v1.ts';
import { containerHash } from '../runtime/names.ts';
import type { PodRuntime, RuntimeContainer } from '../runtime/pod-runtime.ts';
import { computeActions, type ProbeView } from './actions.ts';

const healthy: ProbeView = { liveness: () => 'success', startup: () => 'success', started: () => true };
const container = (name: string, more: Partial<Container> = {}): Container => ({ name, image: 'app:1', ...more });
const pod = (containers: readonly Container[], more: Partial<Pod['spec']> = {}): Pod => ({
  metadata: { name: 'pod', namespace: 'default', uid: 'uid' },
  spec: { containers, ...more },
});
const sandbox = { id: 's1', ready: true, attempt: 0, createdAtMs: 1, ips: ['10.0.0.1'], hostNetwork: false };
const ran = (name: string, state: RuntimeContainer['state'], exitCode = 0): RuntimeContainer => ({
  id: `${name}-id`,
  sandboxId: 's1',
  name,
  state,
  restartCount: 0,
  hash: containerHash(container(name)),
  createdAtMs: 1,
  startedAtMs: 1,
  finishedAtMs: 2,
  exitCode,
  reason: '',
  message: '',
  image: 'app:1',
  imageRef: '',
  imageId: '',
  logPath: '',
  annotations: {},
  mounts: [],
  resources: undefined,
  user: undefined,
});
const having = (...containers: RuntimeContainer[]): PodRuntime => ({ sandboxes: [sandbox], containers });
const names = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name);

test('a new pod gets a sandbox and its first init container, or all app containers', () => {
  const nothing: PodRuntime = { sandboxes: [], containers: [] };
  const plain = computeActions(pod([container('a'), container('b')]), nothing, healthy);
  assert.equal(plain.createSandbox, true);
  assert.deepEqual(names(plain.start), ['a', 'b']);
  const init = { initContainers: [container('i'), container('j')] };
  assert.deepEqual(names(computeActions(pod([container('a')], init), nothing, healthy).start), ['i']);
});

test('an ended container restarts by the policy, and a pod with nothing left to run is stopped', () => {
  const over = having(ran('a', 'exited', 0));
  assert.deepEqual(names(computeActions(pod([container('a')]), over, healthy).start), ['a']);
  assert.equal(computeActions(pod([container('a')], { restartPolicy: 'OnFailure' }), over, healthy).killPod, true);
  const failed = having(ran('a', 'exited', 1));
  assert.deepEqual(
    names(computeActions(pod([container('a')], { restartPolicy: 'OnFailure' }), failed, healthy).start),
    ['a'],
  );
  assert.equal(computeActions(pod([container('a')], { restartPolicy: 'Never' }), failed, healthy).killPod, true);
});

test('a rule for an exit code goes before the policy', () => {
  const rules = [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }];
  const ruled = pod([container('a', { restartPolicy: 'Never', restartPolicyRules: rules })], {
    restartPolicy: 'Never',
  });
  assert.deepEqual(names(computeActions(ruled, having(ran('a', 'exited', 42)), healthy).start), ['a']);
  assert.equal(computeActions(ruled, having(ran('a', 'exited', 1)), healthy).killPod, true);
});

test('init containers follow one another, and a sidecar only has to start', () => {
  const spec = pod([container('a')], {
    initContainers: [container('i'), container('s', { restartPolicy: 'Always' }), container('j')],
  });
  const start = (runtime: PodRuntime, probes = healthy) => names(computeActions(spec, runtime, probes).start);
  assert.deepEqual(start(having(ran('i', 'running'))), []);
  assert.deepEqual(start(having(ran('i', 'exited'))), ['s']);
  const started = having(ran('s', 'running'), ran('i', 'exited'));
  assert.deepEqual(start(started), ['j']);
  assert.deepEqual(start(started, { ...healthy, started: () => false }), []);
  assert.deepEqual(start(having(ran('j', 'exited'), ran('s', 'running'), ran('i', 'exited'))), ['a']);
  // Later, an ended sidecar comes back and no init container runs again.
  assert.deepEqual(start(having(ran('a', 'running'), ran('s', 'exited', 1))), ['s']);
});

test('an init container that fails for good stops the pod', () => {
  const spec = pod([container('a')], { initContainers: [container('i')], restartPolicy: 'Never' });
  assert.equal(computeActions(spec, having(ran('i', 'exited', 1)), healthy).killPod, true);
});

test('a failed liveness probe or another image replaces a running container', () => {
  const probes: ProbeView = { ...healthy, liveness: () => 'failure' };
  const unhealthy = computeActions(pod([container('a')]), having(ran('a', 'running')), probes);
  assert.equal(unhealthy.kill[0]?.message, 'Container a failed liveness probe, will be restarted');
  assert.deepEqual(names(unhealthy.start), ['a']);
  const newer = pod([container('a', { image: 'app:2' })]);
  const changed = computeActions(newer, having(ran('a', 'running')), healthy);
  assert.equal(changed.kill[0]?.message, 'Container a definition changed, will be restarted');
});

test('a sandbox that died is made anew unless the pod never restarts', () => {
  const dead = { sandboxes: [{ ...sandbox, ready: false }], containers: [ran('a', 'exited', 137)] };
  const again = computeActions(pod([container('a')]), dead, healthy);
  assert.deepEqual([again.createSandbox, again.attempt, names(again.start)], [true, 1, ['a']]);
  const never = computeActions(pod([container('a')], { restartPolicy: 'Never' }), dead, healthy);
  assert.deepEqual([never.createSandbox, never.killPod], [false, true]);
});
