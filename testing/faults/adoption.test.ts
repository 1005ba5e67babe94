import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { machineNames } from '../../src/cmd/machine-names.ts';
import { hasProgram, ProaProcess, proa, run, until } from '../e2e/proa.ts';
import { busyboxImage, testImages } from '../images/images.ts';
import { imageCacheDir, isRoot } from '../machine.ts';

const workload = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: lasting }
spec:
  replicas: 3
  selector: { matchLabels: { app: lasting } }
  template:
    metadata: { labels: { app: lasting } }
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: shell
          image: ${testImages.busybox}
          command: [sh, -c, 'echo $$HOSTNAME > /tmp/index.html; httpd -f -p 8080 -h /tmp']
          readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 1 }
---
apiVersion: v1
kind: Service
metadata: { name: lasting }
spec: { selector: { app: lasting }, ports: [{ port: 80, targetPort: 8080 }] }
`;

interface PodFacts {
  readonly name: string;
  readonly uid: string;
  readonly startTime: string;
  readonly podIP: string;
  readonly containerID: string;
  readonly restartCount: number;
}

if (isRoot && hasProgram('kubectl') && hasProgram('containerd')) {
  describe('containers outlive what watches over them', () => {
    let cluster: ProaProcess;
    let first: readonly PodFacts[];

    async function pods(): Promise<readonly PodFacts[]> {
      const { items } = JSON.parse(await cluster.ask('get', 'pods', '-l', 'app=lasting', '-o', 'json'));
      return items.map(({ metadata: { name, uid }, status }: { metadata: PodFacts; status: PodStatus }) => {
        const [{ containerID, restartCount } = {}] = status.containerStatuses ?? [];
        return { name, uid, startTime: status.startTime, podIP: status.podIP, containerID, restartCount };
      });
    }

    const nodeReady = (): Promise<string> =>
      cluster.ask('get', 'nodes', '-o', 'jsonpath={.items[0].status.conditions[?(@.type=="Ready")].status}');

    /** A write, a new pod and a service still work. */
    async function works(name: string): Promise<void> {
      await until(nodeReady, (status) => status === 'True');
      await cluster.ask('run', name, `--image=${testImages.busybox}`, '--', 'sleep', '1000');
      await cluster.ask('wait', '--for=condition=Ready', `pod/${name}`, '--timeout=30s');
      assert.equal(await cluster.ask('exec', name, '--', 'echo', 'here'), 'here\n');
      const address = await cluster.ask('get', 'service', 'lasting', '-o', 'jsonpath={.spec.clusterIP}');
      const answer = await fetch(`http://${address}/`, { signal: AbortSignal.timeout(10_000) });
      assert.equal(answer.status, 200);
      await cluster.ask('delete', 'pod', name, '--now');
    }

    before(async () => {
      cluster = await ProaProcess.start({ nodes: 1, network: 206 });
      const archive = await busyboxImage(imageCacheDir);
      assert.equal((await proa(['image', 'load', archive, '--data-dir', cluster.dataDir])).code, 0);
      await cluster.apply(workload);
      await cluster.ask('rollout', 'status', 'deployment/lasting', '--timeout=50s');
      first = await pods();
    });

    after(() => cluster.remove());

    test('the process is killed: the next one adopts them as they are', async () => {
      await cluster.crash();
      const address = first[0]!.podIP;
      const answer = await fetch(`http://${address}:8080/`, { signal: AbortSignal.timeout(5_000) });
      assert.equal(answer.status, 200, 'containers go on without their cluster');
      await cluster.start();
      assert.match(cluster.said, /containerd \(adopted\)/);
      await works('after-crash');
      assert.deepEqual(await pods(), first);
    });

    test('containerd is killed: it comes back, and the containers are the same', async () => {
      const { runDir } = machineNames(cluster.dataDir);
      const pid = async (): Promise<string> =>
        (await readFile(`${runDir}/containerd.pid`, 'utf8').catch(() => '')).trim();
      const killed = await pid();
      await run('kill', ['-9', killed]);
      await until(pid, (found) => found !== '' && found !== killed);
      await works('after-containerd');
      assert.deepEqual(await pods(), first);
    });

    test('a container that ended while nobody looked is restarted and counted', async () => {
      const { name } = first[0]!;
      const before = (await cluster.ask('exec', name, '--', 'cat', '/proc/1/stat')).split(' ')[21];
      assert.ok(before);
      const container = first[0]!.containerID.replace('containerd://', '');
      await cluster.crash();
      const { runDir } = machineNames(cluster.dataDir);
      await run('ctr', ['-a', `${runDir}/containerd.sock`, '-n', 'k8s.io', 'task', 'kill', '-s', 'SIGKILL', container]);
      await cluster.start();
      const restarted = await until(pods, (found) => found.some((pod) => pod.name === name && pod.restartCount === 1));
      assert.deepEqual(
        restarted.filter((pod) => pod.name !== name),
        first.filter((pod) => pod.name !== name),
      );
      const again = restarted.find((pod) => pod.name === name)!;
      assert.deepEqual({ uid: again.uid, podIP: again.podIP }, { uid: first[0]!.uid, podIP: first[0]!.podIP });
    });
  });
}

interface PodStatus extends PodFacts {
  readonly containerStatuses?: readonly PodFacts[];
}
