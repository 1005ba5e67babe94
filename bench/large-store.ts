import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LoadClient } from './load.ts';
import { residentMegabytes, startProa, type Target } from './target.ts';

export interface LargeStoreFigures {
  /** Of the process that created them all, when controllers have seen everything. */
  readonly writerMegabytes: number;
  /** From the next start of the process until `/readyz`, milliseconds. */
  readonly readyMs: number;
  /** Of this next process, when controllers have seen everything. */
  readonly residentMegabytes: number;
}

const writers = 100;
const namespaces = 10;
const settleMs = 15_000;

/** What many pods cost, and a restart with them. */
export async function measureLargeStore(podCount: number): Promise<LargeStoreFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'proa-large-'));
  try {
    const first = await startProa(['--nodes', '0'], folder);
    const client = new LoadClient(first.access, writers);
    await fillPods(client, podCount);
    client.close();
    const writerMegabytes = await settledMegabytes(first);
    await first.stop();
    const again = await startProa(['--nodes', '0'], folder);
    const resident = await settledMegabytes(again);
    await again.stop();
    return { writerMegabytes, readyMs: again.readyMs, residentMegabytes: resident };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function settledMegabytes(target: Target): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  return residentMegabytes(target.pids());
}

/** A namespace in which pods can be created: it has its service account. */
export async function createNamespace(client: LoadClient, name: string): Promise<void> {
  await client.call('POST', '/api/v1/namespaces', JSON.stringify({ kind: 'Namespace', metadata: { name } }));
  const asked = (): Promise<boolean> =>
    client.call('GET', `/api/v1/namespaces/${name}/serviceaccounts/default`).then(
      () => true,
      () => false,
    );
  while (!(await asked())) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Pods that nobody schedules, in a few namespaces. */
async function fillPods(client: LoadClient, count: number): Promise<void> {
  for (let index = 0; index < namespaces; index++) await createNamespace(client, `large-${index}`);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) {
      const index = next++;
      await client.call('POST', `/api/v1/namespaces/large-${index % namespaces}/pods`, podText(index));
    }
  };
  await Promise.all(Array.from({ length: writers }, work));
}

/** A pod of about the size that pods have, some 3 KB in the store: variables, a volume, a probe. */
export function podText(index: number): string {
  const container = (name: string): object => ({
    name,
    image: `registry.example.com/team/${name}:v1.2.3`,
    ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
    env: Array.from({ length: 2 }, (_, variable) => ({ name: `VARIABLE_${variable}`, value: `value-${variable}` })),
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
    readinessProbe: { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 10 },
    volumeMounts: [{ name: 'config', mountPath: '/etc/config' }],
  });
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `pod-${index}`,
      labels: { app: `app-${index % 500}`, tier: index % 2 === 0 ? 'front' : 'back', 'pod-template-hash': 'abc123' },
      annotations: { 'example.com/checksum': 'd41d8cd98f00b204e9800998ecf8427e' },
    },
    spec: {
      schedulerName: 'nobody',
      containers: [container('main')],
      volumes: [{ name: 'config', configMap: { name: 'config' } }],
    },
  });
}
