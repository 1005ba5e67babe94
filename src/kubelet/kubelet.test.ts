import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lease, Node, Pod as PodKind, ServiceAccount } from '#kinds/generated/handles.ts';
import type { Pod, PodSpec } from '#kinds/generated/types/core_v1.ts';
import { startApiServer, type TestApiServer } from '#testing/cluster.ts';
import type { SimulatedBehaviour } from './simulated/behaviour.ts';
import { createSimulatedNode, type SimulatedNode } from './simulated/simulated-node.ts';

interface NodeUnderTest {
  readonly api: TestApiServer;
  readonly node: SimulatedNode;
  /** Waits, in virtual time, until the pod is as asked. */
  until(name: string, condition: (pod: Pod | undefined) => boolean, limitSeconds?: number): Promise<Pod | undefined>;
  create(name: string, spec: Partial<PodSpec>, annotations?: Record<string, string>): Promise<Pod>;
  passes(seconds: number): Promise<void>;
}

async function withNode(
  work: (world: NodeUnderTest) => Promise<void>,
  behaviour: Partial<SimulatedBehaviour> = {},
  isMeasured = false,
): Promise<void> {
  const api = await startApiServer();
  const { client, environment } = api;
  await client.create(ServiceAccount, {
    metadata: { name: 'default', namespace: 'default' },
    automountServiceAccountToken: false,
  });
  const stop = new AbortController();
  const node = createSimulatedNode({
    nodeName: 'node-0',
    client,
    environment,
    podCidr: '10.244.0.0/24',
    address: '192.168.1.1',
    behaviour,
    isMeasured,
  });
  const running = node.run(stop.signal);
  const get = (name: string) =>
    client.get(PodKind, { namespace: 'default', name }).catch((error: { code?: number }) => {
      if (error.code === 404) return undefined;
      throw error;
    });
  try {
    await work({
      api,
      node,
      async until(name, condition, limitSeconds = 60) {
        const stepMs = 100;
        for (let passed = 0; passed <= limitSeconds * 1000; passed += stepMs) {
          const pod = await get(name);
          if (condition(pod)) return pod;
          await environment.clock.advance(stepMs);
        }
        assert.fail(`not reached: ${JSON.stringify((await get(name))?.status, null, 1)}`);
      },
      create: (name, spec, annotations = {}) =>
        client.create(PodKind, {
          metadata: { name, namespace: 'default', annotations },
          spec: {
            nodeName: 'node-0',
            terminationGracePeriodSeconds: 30,
            containers: [{ name: 'app', image: 'app:1' }],
            ...spec,
          },
        }),
      passes: (seconds) => environment.clock.advance(seconds * 1000),
    });
  } finally {
    stop.abort();
    await running;
    await api.stop();
  }
}

const condition = (pod: Pod | undefined, type: string) =>
  pod?.status?.conditions?.find((found) => found.type === type)?.status;
const state = (pod: Pod | undefined, name = 'app') =>
  [...(pod?.status?.containerStatuses ?? []), ...(pod?.status?.initContainerStatuses ?? [])].find(
    (status) => status.name === name,
  );

test('a node registers itself, is ready and renews its lease', async () => {
  await withNode(async ({ api, passes }) => {
    await passes(1);
    const node = await api.client.get(Node, { name: 'node-0' });
    assert.equal(node.status?.conditions?.find(({ type }) => type === 'Ready')?.status, 'True');
    const lease = { namespace: 'kube-node-lease', name: 'node-0' };
    const first = await api.client.get(Lease, lease);
    await passes(27);
    const second = await api.client.get(Lease, lease);
    assert.ok((second.spec?.renewTime ?? '') > (first.spec?.renewTime ?? ''));
  });
});

test('a bound pod becomes ready with an address of its node, and is gone after its deletion', async () => {
  await withNode(async ({ api, create, until }) => {
    await create('web', {});
    const pod = await until('web', (found) => condition(found, 'Ready') === 'True');
    assert.equal(pod?.status?.phase, 'Running');
    assert.match(pod?.status?.podIP ?? '', /^10\.244\.0\./);
    assert.equal(pod?.status?.hostIP, '192.168.1.1');
    assert.match(state(pod)?.containerID ?? '', /^simulated:\/\//);
    await api.client.delete(PodKind, { namespace: 'default', name: 'web' });
    await until('web', (found) => found === undefined);
  });
});

test('a container that keeps failing restarts after growing delays, and says CrashLoopBackOff meanwhile', async () => {
  await withNode(async ({ create, until }) => {
    const annotations = { 'simulation.proa.dev/run-seconds': '1', 'simulation.proa.dev/exit-code': '3' };
    await create('crashing', {}, annotations);
    const pod = await until('crashing', (found) => state(found)?.state?.waiting?.reason === 'CrashLoopBackOff');
    assert.equal(state(pod)?.lastState?.terminated?.exitCode, 3);
    assert.equal(pod?.status?.phase, 'Running');
    assert.match(
      state(pod)?.state?.waiting?.message ?? '',
      /^back-off 10s restarting failed container=app pod=crashing_default\(/,
    );
    await until('crashing', (found) => (state(found)?.restartCount ?? 0) >= 3, 120);
  });
});

test('a pod that never restarts ends as Succeeded or Failed by its exit code', async () => {
  await withNode(async ({ create, until }) => {
    const run = { 'simulation.proa.dev/run-seconds': '2' };
    await create('good', { restartPolicy: 'Never' }, run);
    await create('bad', { restartPolicy: 'Never' }, { ...run, 'simulation.proa.dev/exit-code': '7' });
    const good = await until('good', (found) => found?.status?.phase === 'Succeeded');
    assert.equal(condition(good, 'Ready'), 'False');
    assert.equal(state(good)?.state?.terminated?.reason, 'Completed');
    const bad = await until('bad', (found) => found?.status?.phase === 'Failed');
    assert.equal(state(bad)?.state?.terminated?.exitCode, 7);
  });
});

test('init containers run in order, a sidecar stays, and the pod is initialized before its app starts', async () => {
  await withNode(async ({ create, until }) => {
    const init = [
      { name: 'first', image: 'app:1' },
      { name: 'proxy', image: 'app:1', restartPolicy: 'Always' },
      { name: 'second', image: 'app:1' },
    ];
    await create('layered', { initContainers: init });
    const pod = await until('layered', (found) => condition(found, 'Ready') === 'True');
    assert.equal(state(pod, 'first')?.state?.terminated?.exitCode, 0);
    assert.equal(state(pod, 'second')?.state?.terminated?.exitCode, 0);
    assert.ok(state(pod, 'proxy')?.state?.running);
    assert.equal(condition(pod, 'Initialized'), 'True');
  });
});

test('a readiness probe decides when the pod is ready', async () => {
  await withNode(async ({ create, until }) => {
    const readinessProbe = { httpGet: { port: 80 }, periodSeconds: 1 };
    const containers = [{ name: 'app', image: 'app:1', readinessProbe }];
    await create('slow', { containers }, { 'simulation.proa.dev/ready-seconds': '5' });
    const starting = await until('slow', (found) => found?.status?.phase === 'Running');
    assert.equal(condition(starting, 'Ready'), 'False');
    await until('slow', (found) => condition(found, 'Ready') === 'True');
  });
});

test('a server that takes a moment to listen is ready then, not a whole period later', async () => {
  await withNode(async ({ create, until }) => {
    const containers = [{ name: 'app', image: 'app:1', readinessProbe: { httpGet: { port: 80 } } }];
    await create('prompt', { containers }, { 'simulation.proa.dev/ready-seconds': '0.6' });
    const pod = await until('prompt', (found) => condition(found, 'Ready') === 'True');
    const startedAt = pod?.status?.containerStatuses?.[0]?.state?.running?.startedAt ?? '';
    const readyAt = pod?.status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime ?? '';
    assert.ok(Date.parse(readyAt) - Date.parse(startedAt) <= 2000, `started at ${startedAt}, ready at ${readyAt}`);
  });
});

test('a pod that asks for more than the node has fails with OutOfcpu', async () => {
  await withNode(async ({ create, until }) => {
    const containers = [{ name: 'app', image: 'app:1', resources: { requests: { cpu: '1000' } } }];
    await create('huge', { containers });
    const pod = await until('huge', (found) => found?.status?.phase === 'Failed');
    assert.equal(pod?.status?.reason, 'OutOfcpu');
  });
});

test('a pod that was deleted at once leaves its room, while its containers still stop', async () => {
  await withNode(async ({ api, create, until }) => {
    const containers = (image: string) => [{ name: 'app', image, resources: { requests: { cpu: '20' } } }];
    // Its container takes so long to start that deleting it has to wait.
    await create('first', { containers: containers('app:1') }, { 'simulation.proa.dev/start-seconds': '20' });
    await until('first', (pod) => state(pod)?.state?.waiting?.reason === 'ContainerCreating');
    await api.client.delete(PodKind, { namespace: 'default', name: 'first' }, { gracePeriodSeconds: 0 });
    await create('second', { containers: containers('app:2') });
    const second = await until('second', (pod) => pod?.status?.phase !== 'Pending');
    assert.equal(second?.status?.phase, 'Running', second?.status?.message);
  });
});

test('a pod says that it is being resized until its containers have what it asks for', async () => {
  await withNode(
    async ({ api, create, until }) => {
      const containers = [{ name: 'app', image: 'app:1', resources: { requests: { cpu: '100m' } } }];
      const pod = await create('grow', { containers });
      const running = await until('grow', (found) => state(found)?.state?.running !== undefined);
      const seen: Pod[] = [];
      const ended = new AbortController();
      const watching = (async () => {
        const watch = api.client.watch(PodKind, { namespace: 'default', resourceVersion: '0', signal: ended.signal });
        for await (const event of watch) if (event.type === 'MODIFIED') seen.push(event.object);
      })().catch(() => undefined);
      const bigger = [{ ...running!.spec.containers[0]!, resources: { requests: { cpu: '200m' } } }];
      const ref = { name: 'grow', namespace: 'default' };
      await api.client.updateSubresource(PodKind, ref, 'resize', {
        ...running,
        spec: { ...running!.spec, containers: bigger },
      });
      await until('grow', (found) => state(found)?.resources?.requests?.['cpu'] === '200m');
      ended.abort();
      await watching;
      const observed = seen.filter(({ metadata, status }) => {
        const conditions = status?.conditions ?? [];
        const isObserved = conditions.some((one) => one.type === 'Ready' && one.observedGeneration === 2);
        return metadata.uid === pod.metadata.uid && isObserved;
      });
      assert.ok(observed.some((one) => condition(one, 'PodResizeInProgress') === 'True'));
      for (const one of observed)
        if (condition(one, 'PodResizeInProgress') === undefined)
          assert.equal(state(one)?.resources?.requests?.['cpu'], '200m');
    },
    { resize: 500 },
  );
});

test('a node tells what runs on it, what it asked of its runtime, and what probes came to', async () => {
  await withNode(
    async ({ api, node, create, until }) => {
      const containers = [{ name: 'app', image: 'app:1', readinessProbe: { httpGet: { port: 80 } } }];
      await create('web', { containers, volumes: [{ name: 'scratch', emptyDir: {} }] });
      await until('web', (found) => condition(found, 'Ready') === 'True');
      const page = async (path: string): Promise<string> => {
        const { body } = await node.api.http(
          { method: 'GET', path, headers: {}, body: new Uint8Array() },
          new AbortController().signal,
        );
        let text = '';
        for await (const piece of body) text += Buffer.from(piece).toString();
        return text;
      };
      const told = await page('/metrics');
      for (const line of [
        'kubelet_node_name{node="node-0"} 1',
        'kubelet_running_pods 1',
        'kubelet_running_containers{container_state="running"} 1',
        'volume_manager_total_volumes{plugin_name="kubernetes.io/empty-dir",state="actual_state_of_world"} 1',
        'kubelet_runtime_operations_total{operation_type="run_podsandbox"} 1',
        'kubelet_runtime_operations_duration_seconds_count{operation_type="create_container"} 1',
        'kubelet_pod_worker_duration_seconds_count{operation_type="create"} 1',
        'kubelet_pod_start_duration_seconds_count 1',
        'kubelet_started_pods_total 1',
        'kubelet_started_containers_total{container_type="container"} 1',
      ])
        assert.ok(told.includes(`${line}\n`), line);
      const labels = 'probe_type="Readiness",container="app",pod="web",namespace="default"';
      const { metadata } = await api.client.get(PodKind, { name: 'web', namespace: 'default' });
      const probed = `prober_probe_total{${labels},pod_uid="${metadata.uid}",result="successful"} 1\n`;
      assert.ok((await page('/metrics/probes')).includes(probed));
      assert.match(
        await page('/metrics/cadvisor'),
        /^container_cpu_usage_seconds_total\{container="app",.*image="app:1"/m,
      );
    },
    {},
    true,
  );
});
