import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { machineNames } from '#cmd/machine-names.ts';
import { connectContainerd } from '#kubelet/containerd/daemon/start.ts';
import type { Cri } from '#kubelet/cri/cri.ts';
import { busyboxImage, testImages } from '#testing/images/images.ts';
import { imageCacheDir, machineEnvironment } from '#testing/machine.ts';
import { LoadClient, median, medianOf } from './load.ts';
import { startProa, type Target } from './target.ts';

/** What a person waits for on a machine with containers, in milliseconds. */
export interface RealNodeFigures {
  readonly nodeReadyMs: number;
  readonly nameResolvedMs: number;
  /** From the request for a pod until it is running. */
  readonly podMs: number;
  /** The same sandbox and container, asked of containerd directly. */
  readonly runtimeMs: number;
}

const rounds = 5;
const pollMs = 5;
const signal = new AbortController().signal;
const pods = '/api/v1/namespaces/default/pods';

/** Starts and ends a cluster with this machine as its node. Needs root and the packages that `npm start` installs. */
export async function measureRealNode(): Promise<RealNodeFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'proa-node-'));
  const dataDir = join(folder, 'data');
  const config = join(folder, 'proa.yaml');
  writeFileSync(config, JSON.stringify({ nodes: 1, podCidr: '10.212.0.0/16', serviceCidr: '10.213.0.0/16' }));
  const start = (): Promise<Target> => startProa(['--config', config], dataDir);
  try {
    const first = await start();
    await nodeReady(first);
    await proa('image', 'load', await busyboxImage(imageCacheDir), '--data-dir', dataDir);
    const podMs = await medianOf(rounds, () => podStart(first));
    const runtimeMs = await withRuntime(dataDir, (cri) => medianOf(rounds, () => runtimeStart(cri)));
    await proa('down', '--data-dir', dataDir);
    await first.stop();
    const nodes: number[] = [];
    const names: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const startedMs = performance.now();
      const again = await start();
      await nodeReady(again);
      nodes.push(performance.now() - startedMs);
      await nameResolved(again, round);
      names.push(performance.now() - startedMs);
      await proa('down', '--data-dir', dataDir);
      await again.stop();
    }
    return { nodeReadyMs: median(nodes), nameResolvedMs: median(names), podMs, runtimeMs };
  } finally {
    await proa('reset', '--data-dir', dataDir);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function proa(...args: readonly string[]): Promise<void> {
  await promisify(execFile)(join(import.meta.dirname, '..', 'bin', 'proa.js'), args);
}

interface Seen {
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

async function until(client: LoadClient, path: string, isReached: (seen: Seen) => boolean): Promise<void> {
  while (!isReached(JSON.parse((await client.call('GET', path)).toString()) as Seen))
    await new Promise((resolve) => setTimeout(resolve, pollMs));
}

async function nodeReady({ access }: Target): Promise<void> {
  const client = new LoadClient(access, 1);
  let name: string | undefined;
  while (name === undefined) {
    const { items } = JSON.parse((await client.call('GET', '/api/v1/nodes')).toString());
    name = items[0]?.metadata.name;
  }
  await until(
    client,
    `/api/v1/nodes/${name}`,
    ({ status }) => status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True',
  );
  client.close();
}

function pod(name: string, command: readonly string[]): string {
  const container = { name: 'main', image: testImages.busybox, command };
  const spec = { containers: [container], restartPolicy: 'Never', terminationGracePeriodSeconds: 0 };
  return JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec });
}

async function podStart({ access }: Target): Promise<number> {
  const client = new LoadClient(access, 1);
  const startedMs = performance.now();
  await client.call('POST', pods, pod('timed', ['sleep', '1000']));
  await until(client, `${pods}/timed`, ({ status }) => status?.phase === 'Running');
  const elapsedMs = performance.now() - startedMs;
  await client.call('DELETE', `${pods}/timed`);
  while ((await client.call('GET', pods).then((answer) => JSON.parse(answer.toString()).items.length)) > 0)
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  client.close();
  return elapsedMs;
}

async function nameResolved({ access }: Target, round: number): Promise<void> {
  const client = new LoadClient(access, 1);
  const name = `asks-${round}`;
  const question = 'until nslookup kubernetes.default.svc.cluster.local; do sleep 0.02; done';
  await client.call('POST', pods, pod(name, ['sh', '-c', question]));
  await until(client, `${pods}/${name}`, ({ status }) => status?.phase === 'Succeeded');
  client.close();
}

async function withRuntime<T>(dataDir: string, work: (cri: Cri) => Promise<T>): Promise<T> {
  const socketPath = join(machineNames(dataDir).runDir, 'containerd.sock');
  const containerd = await connectContainerd({ socketPath, environment: machineEnvironment() }, signal);
  try {
    return await work(containerd.cri);
  } finally {
    containerd.close();
  }
}

async function runtimeStart(cri: Cri): Promise<number> {
  const sandboxConfig = {
    metadata: { name: 'direct', uid: 'direct', namespace: 'bench', attempt: 0 },
    hostname: 'direct',
    logDirectory: join(tmpdir(), 'proa-bench-logs'),
    linux: { securityContext: { namespaceOptions: {} } },
  };
  const startedMs = performance.now();
  const podSandboxId = await cri.runPodSandbox({ config: sandboxConfig }, signal);
  const config = {
    metadata: { name: 'main', attempt: 0 },
    image: { image: testImages.busybox },
    command: ['sleep', '1000'],
    logPath: 'main.log',
    linux: {},
  };
  const container = await cri.createContainer({ podSandboxId, config, sandboxConfig }, signal);
  await cri.startContainer(container, signal);
  const elapsedMs = performance.now() - startedMs;
  await cri.stopPodSandbox(podSandboxId, signal);
  await cri.removePodSandbox(podSandboxId, signal);
  return elapsedMs;
}
