import assert from 'node:assert/strict';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ApiServer } from '#apiserver/server.ts';
import { sleep } from '#base/clock.ts';
import type { Client } from '#client/client.ts';
import { newSigningKey } from '#cmd/signing-key.ts';
import { ConfigMap, Pod as PodKind, Secret, ServiceAccount } from '#kinds/generated/handles.ts';
import type { Container, Pod, PodSpec } from '#kinds/generated/types/core_v1.ts';
import { openCgroups } from '#kubelet/containerd/cgroups/cgroups.ts';
import {
  type Containerd,
  type ContainerdOptions,
  startContainerd,
  stopContainerd,
} from '#kubelet/containerd/daemon/start.ts';
import { linuxHost } from '#kubelet/host/linux-host.ts';
import { createKubelet, type Kubelet } from '#kubelet/kubelet.ts';
import { MemoryStore } from '#storage/memory/store.ts';
import { busyboxImage, testImages } from './images/images.ts';
import { imageCacheDir, isRoot, machineEnvironment } from './machine.ts';

const signal = new AbortController().signal;
const pollMs = 50;

if (isRoot) {
  describe('a real node', () => {
    const base = `/run/proa-node-test-${process.pid}`;
    const cgroupRoot = `/proa-node-test-${process.pid}`;
    const environment = machineEnvironment();
    const options: ContainerdOptions = {
      dataDir: join(base, 'data'),
      runDir: base,
      podCidr: '10.251.9.0/24',
      environment,
    };
    const store = new MemoryStore();
    let server: ApiServer;
    let client: Client;
    let containerd: Containerd;
    let kubelet: Kubelet;
    let stopNode: () => Promise<void>;

    async function startNode(): Promise<void> {
      const stopping = new AbortController();
      const host = await linuxHost(
        {
          rootDirectory: join(base, 'kubelet'),
          memoryDirectory: join(base, 'memory'),
          podLogsDirectory: join(base, 'logs'),
          address: '127.0.0.1',
          clock: environment.clock,
        },
        signal,
      );
      const { cri, streams } = containerd;
      kubelet = createKubelet({
        nodeName: 'node-0',
        client,
        cri,
        streams,
        host,
        environment,
        config: { cgroupRoot, clusterDns: ['10.96.0.10'], syncMs: 1_000 },
      });
      const running = kubelet.run(stopping.signal);
      stopNode = async () => {
        stopping.abort();
        await running;
      };
    }

    before(async () => {
      await mkdir(options.dataDir, { recursive: true });
      containerd = await startContainerd(options, signal);
      await containerd.importImages(await busyboxImage(imageCacheDir), signal);
      server = await ApiServer.start({
        store,
        environment,
        serviceCidr: '10.96.0.0/16',
        tokenSigningKey: newSigningKey(),
      });
      client = server.loopback();
      const namespace = 'default';
      await client.create(ServiceAccount, { metadata: { name: 'default', namespace } });
      await client.create(ConfigMap, { metadata: { name: 'kube-root-ca.crt', namespace }, data: { 'ca.crt': 'ca' } });
      await client.create(ConfigMap, { metadata: { name: 'settings', namespace }, data: { color: 'blue', size: '7' } });
      await client.create(Secret, { metadata: { name: 'hidden', namespace }, stringData: { word: 'xyzzy' } });
      await startNode();
    });

    after(async () => {
      await stopNode();
      for (const { id } of await containerd.cri.listPodSandbox({}, signal)) {
        await containerd.cri.stopPodSandbox(id, signal);
        await containerd.cri.removePodSandbox(id, signal);
      }
      containerd.close();
      await stopContainerd(options, signal);
      await (await openCgroups(environment.clock)).remove(cgroupRoot, signal);
      server.stop();
      await store.close();
      const { unmountAll } = await import('#kubelet/containerd/mounts.ts');
      await unmountAll(base, signal);
      await rm(base, { recursive: true, force: true });
    });

    const shell = (script: string, more: Partial<Container> = {}): Container => ({
      name: 'app',
      image: testImages.busybox,
      command: ['sh', '-c', script],
      ...more,
    });
    const create = (name: string, container: Container, spec: Partial<PodSpec> = {}): Promise<Pod> =>
      client.create(PodKind, {
        metadata: { name, namespace: 'default', labels: { app: name } },
        spec: { nodeName: 'node-0', terminationGracePeriodSeconds: 2, containers: [container], ...spec },
      });
    async function until(name: string, condition: (pod: Pod | undefined) => boolean, limitMs = 20_000) {
      const started = environment.clock.monotonic();
      for (;;) {
        const pod = await client.get(PodKind, { namespace: 'default', name }).catch(() => undefined);
        if (condition(pod)) return pod;
        if (environment.clock.monotonic() - started > limitMs) assert.fail(JSON.stringify(pod?.status, null, 1));
        await sleep(environment.clock, pollMs);
      }
    }
    const isReady = (pod: Pod | undefined) =>
      pod?.status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
    const containerOf = (pod: Pod | undefined) => pod?.status?.containerStatuses?.[0];
    async function remove(name: string): Promise<void> {
      await client.delete(PodKind, { namespace: 'default', name });
      await until(name, (pod) => pod === undefined);
    }
    async function output(pod: string, more: object = {}): Promise<string> {
      const request = {
        namespace: 'default',
        pod,
        container: 'app',
        follow: false,
        previous: false,
        timestamps: false,
      };
      return text(await kubelet.api.logs({ ...request, ...more }, signal));
    }
    async function run(pod: string, ...command: string[]): Promise<string> {
      const streams = { stdin: false, stdout: true, stderr: true, tty: false };
      const target = { namespace: 'default', pod, container: 'app' };
      const process = await kubelet.api.exec({ ...target, ...streams, command }, signal);
      const [stdout] = await Promise.all([text(process.stdout!), text(process.stderr!)]);
      assert.deepEqual(await process.exit, { outcome: 'exited', code: 0 });
      return stdout.trim();
    }

    test('a pod runs with its environment, volumes and hosts file, and leaves nothing behind', async () => {
      const container = shell('echo "$GREETING $COLOR $WORD"; echo fine > /dev/termination-log; sleep 1000', {
        args: [],
        env: [
          { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          { name: 'GREETING', value: 'hello $(NAME)' },
          { name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'color' } } },
          { name: 'WORD', valueFrom: { secretKeyRef: { name: 'hidden', key: 'word' } } },
        ],
        volumeMounts: [
          { name: 'config', mountPath: '/config' },
          { name: 'scratch', mountPath: '/scratch' },
          { name: 'config', mountPath: '/single', subPath: 'color' },
        ],
        resources: { limits: { memory: '64Mi', cpu: '500m' }, requests: { memory: '32Mi', cpu: '100m' } },
      });
      await create('whole', container, {
        hostAliases: [{ ip: '10.1.2.3', hostnames: ['elsewhere'] }],
        volumes: [
          { name: 'config', configMap: { name: 'settings' } },
          { name: 'scratch', emptyDir: { medium: 'Memory', sizeLimit: '8Mi' } },
        ],
      });
      const pod = await until('whole', isReady);
      assert.equal(pod?.status?.qosClass, 'Burstable');
      assert.match(containerOf(pod)?.containerID ?? '', /^containerd:\/\/[0-9a-f]{64}$/);
      assert.equal(await output('whole'), 'hello whole blue xyzzy\n');
      assert.equal(await run('whole', 'cat', '/config/color'), 'blue');
      assert.equal(await run('whole', 'cat', '/single'), 'blue');
      assert.match(await run('whole', 'cat', '/etc/hosts'), /10\.1\.2\.3\s+elsewhere/);
      assert.match(await run('whole', 'cat', '/etc/resolv.conf'), /search default\.svc\.cluster\.local/);
      assert.match(await run('whole', 'mount'), /tmpfs on \/scratch .*size=8192k/);
      const mounts = '/var/run/secrets/kubernetes.io/serviceaccount';
      assert.match(await run('whole', 'cat', `${mounts}/token`), /^ey/);
      await client.patch(
        ConfigMap,
        { namespace: 'default', name: 'settings' },
        { type: 'merge', body: { data: { color: 'green' } } },
      );
      for (let tries = 0; (await run('whole', 'cat', '/config/color')) !== 'green'; tries++) {
        assert.ok(tries < 100);
        await sleep(environment.clock, pollMs);
      }
      await remove('whole');
      assert.deepEqual(await readdir(join(base, 'kubelet/pods')), []);
      assert.deepEqual(await readdir(join(base, 'memory')), []);
      assert.deepEqual(await (await openCgroups(environment.clock)).list(`${cgroupRoot}/burstable`), []);
    });

    test('a container that fails shows its exit code and message, and its earlier output is kept', async () => {
      await create('failing', shell('echo once; echo reason > /dev/termination-log; exit 3'));
      const pod = await until('failing', (found) => containerOf(found)?.state?.waiting?.reason === 'CrashLoopBackOff');
      const ended = containerOf(pod)?.lastState?.terminated;
      assert.equal(ended?.exitCode, 3);
      assert.equal(ended?.message, 'reason\n');
      assert.equal(await output('failing', { previous: true }), 'once\n');
      await remove('failing');
    });

    test('probes decide about readiness and restarts', async () => {
      const probe = (command: string) => ({ exec: { command: ['sh', '-c', command] }, periodSeconds: 1 });
      const container = shell('touch /tmp/ready; sleep 3; rm /tmp/ready; sleep 1000', {
        readinessProbe: probe('test -e /tmp/ready'),
        livenessProbe: { ...probe('test -e /tmp/ready'), failureThreshold: 2 },
      });
      await create('probed', container, { terminationGracePeriodSeconds: 1 });
      await until('probed', isReady);
      await until('probed', (pod) => (containerOf(pod)?.restartCount ?? 0) > 0);
      await remove('probed');
    });

    test('the preStop hook runs before TERM, within the grace period', async () => {
      const container = shell("trap 'echo term; exit 0' TERM; echo up; while :; do sleep 0.1; done", {
        lifecycle: { preStop: { exec: { command: ['sh', '-c', 'echo hook > /proc/1/fd/1'] } } },
      });
      await create('graceful', container, { terminationGracePeriodSeconds: 10 });
      await until('graceful', isReady);
      const target = { namespace: 'default', pod: 'graceful', container: 'app' };
      const following = await kubelet.api.logs({ ...target, follow: true, previous: false, timestamps: false }, signal);
      const all = text(following);
      await remove('graceful');
      assert.equal(await all, 'up\nhook\nterm\n');
    });

    test('running containers are adopted after a crash of the node agent and of containerd', async () => {
      await create('lasting', shell('sleep 1000'));
      const first = await until('lasting', isReady);
      await stopNode();
      containerd.close();
      await stopContainerd(options, signal);
      containerd = await startContainerd(options, signal);
      await startNode();
      await sleep(environment.clock, 1_500);
      const second = await until('lasting', isReady);
      assert.equal(containerOf(second)?.containerID, containerOf(first)?.containerID);
      assert.equal(containerOf(second)?.restartCount, 0);
      await remove('lasting');
    });
  });
}

async function text(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of bytes) parts.push(part);
  return Buffer.concat(parts).toString();
}
