import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import type { FlagValues } from '#apiserver/flags.ts';
import { systemClock } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import { Metrics } from '#base/metrics.ts';
import { seededRandom } from '#base/random.ts';
import { runKubectl } from '#cli/kubectl.ts';
import type { Client } from '#client/client.ts';
import { startCluster } from '#cmd/cluster.ts';
import { kubeconfigText } from '#cmd/kubeconfig.ts';
import { machineNames } from '#cmd/machine-names.ts';

/** How a command ended and what it said. */
export interface KubectlOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A cluster of simulated nodes in this process, which listens on a port of its own. */
export interface HttpCluster {
  readonly client: Client;
  /** A folder of the test's own, removed at the end. */
  readonly folder: string;
  /** A file with the administrator's access. */
  readonly kubeconfig: string;
  /** Runs our kubectl in this process as the administrator. */
  kubectl(
    args: readonly string[],
    options?: { readonly stdin?: string; readonly signal?: AbortSignal },
  ): Promise<KubectlOutcome>;
  stop(): Promise<void>;
}

/** Starts the real thing, on a free port and in a folder of its own. */
export async function startHttpCluster({
  nodes = 1,
  apiServer = {},
  featureGates = {},
}: {
  readonly nodes?: number;
  readonly apiServer?: FlagValues;
  readonly featureGates?: Readonly<Record<string, boolean>>;
} = {}): Promise<HttpCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'proa-test-'));
  const dataDir = join(folder, 'data');
  const environment = { clock: systemClock(), random: seededRandom(1), log: silentLog, metrics: new Metrics() };
  const cluster = await startCluster(
    {
      dataDir,
      names: machineNames(dataDir),
      port: 0,
      nodes: 0,
      simulatedNodes: nodes,
      simulation: {},
      serviceCidr: '10.96.0.0/16',
      podCidr: '10.244.0.0/16',
      clusterDomain: 'cluster.local',
      featureGates,
      apiServer,
    },
    environment,
    () => {},
  );
  const kubeconfig = join(folder, 'kubeconfig');
  const { serverUrl, pki } = cluster;
  await writeFile(
    kubeconfig,
    kubeconfigText({ server: serverUrl, certificateAuthority: pki.authority.certificate, admin: pki.admin }),
  );
  return {
    client: cluster.client,
    folder,
    kubeconfig,
    kubectl: (args, options) => runWith({ KUBECONFIG: kubeconfig }, args, options),
    async stop() {
      await cluster.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Runs our kubectl in this process with these variables as its environment. */
export async function runWith(
  env: Readonly<Record<string, string>>,
  args: readonly string[],
  {
    stdin = '',
    signal = new AbortController().signal,
  }: { readonly stdin?: string; readonly signal?: AbortSignal } = {},
): Promise<KubectlOutcome> {
  const said = { stdout: '', stderr: '' };
  const sink = (name: 'stdout' | 'stderr') =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        said[name] += chunk.toString();
        done();
      },
    });
  const code = await runKubectl(args, {
    stdin: Readable.from(stdin === '' ? [] : [Buffer.from(stdin)]),
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    env,
    clock: systemClock(),
    random: seededRandom(1),
    signal,
  });
  return { code, ...said };
}
