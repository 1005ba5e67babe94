import { parseArgs } from 'node:util';
import { systemClock } from '#base/clock.ts';
import { createLog } from '#base/log.ts';
import { secureRandom } from '#base/random.ts';
import { startCluster } from './cluster.ts';
import { defaultDataDir, defaultPodCidr, defaultPort, defaultServiceCidr, isRoot } from './config.ts';
import { mergeIntoKubeconfig, userKubeconfigPath } from './kubeconfig.ts';

const clock = systemClock();
const started = clock.monotonic();
const { values } = parseArgs({
  args: process.argv.slice(3),
  options: {
    'data-dir': { type: 'string' },
    port: { type: 'string' },
    kubeconfig: { type: 'string' },
    nodes: { type: 'string' },
    'simulated-nodes': { type: 'string' },
  },
});
const environment = {
  clock,
  random: secureRandom(),
  log: createLog({ write: (line) => process.stderr.write(`${line}\n`), now: clock.now }),
};
const cluster = await startCluster(
  {
    dataDir: values['data-dir'] ?? defaultDataDir(),
    runDir: '/run/proa',
    port: Number(values.port ?? defaultPort),
    nodes: Number(values.nodes ?? (isRoot() ? 1 : 0)) as 0 | 1,
    simulatedNodes: Number(values['simulated-nodes'] ?? 0),
    serviceCidr: defaultServiceCidr,
    podCidr: defaultPodCidr,
    clusterDomain: 'cluster.local',
    featureGates: {},
  },
  environment,
  (step) => process.stdout.write(`${(clock.monotonic() - started).toFixed(0)} ms ${step}\n`),
);
mergeIntoKubeconfig(values.kubeconfig ?? userKubeconfigPath(), {
  server: cluster.serverUrl,
  certificateAuthority: cluster.pki.authority.certificate,
  admin: cluster.pki.admin,
});
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => void cluster.stop().then(() => process.exit(0)));
await cluster.failed;
