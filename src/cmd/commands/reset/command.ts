import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '#base/clock.ts';
import { openCgroups } from '#kubelet/containerd/cgroups/cgroups.ts';
import { unmountAll } from '#kubelet/containerd/mounts.ts';
import { removeStrayPods } from '#kubelet/containerd/stray-pods.ts';
import { removeNodeNetwork } from '#network/node-network.ts';
import { defaultPodCidr, defaultServiceCidr, isRoot, machineAddress } from '../../config.ts';
import { type RunningCluster, readLastStart, UserError } from '../../data-folder.ts';
import { removeFromKubeconfig, userKubeconfigPath } from '../../kubeconfig.ts';
import { dataDirOf, machineNames } from '../../machine-names.ts';
import { nodeNetworkOf, realNodePodCidr } from '../../real-node.ts';
import type { Command } from '../command.ts';
import { down } from '../down/command.ts';

const help = `Remove the cluster and everything that it left on this machine: containers, images, state, certificates, network
rules and the context "proa" of your kubeconfig.

Usage: proa reset [--data-dir FOLDER]
`;

/** Only a folder that a cluster made is ever deleted. */
const marks = ['state.db', 'pki', 'lock.db'];

export const reset: Command = {
  name: 'reset',
  help,
  options: { 'data-dir': { type: 'string' } },
  async run(values) {
    const dataDir = dataDirOf(values);
    const last = readLastStart(dataDir);
    if (existsSync(dataDir) && !marks.some((name) => existsSync(join(dataDir, name)))) {
      throw new UserError(`${dataDir} does not look like a data folder of Proa: nothing was deleted`);
    }
    await down.run(values, []);
    // Whatever has no real node has left nothing outside its folder.
    if (isRoot() && last?.nodes !== 0) await removeFromMachine(dataDir, last, AbortSignal.timeout(60_000));
    const certificate = join(dataDir, 'pki', 'ca.crt');
    const access = existsSync(certificate) ? { certificateAuthority: readFileSync(certificate, 'utf8') } : undefined;
    rmSync(dataDir, { recursive: true, force: true });
    removeFromKubeconfig(last?.kubeconfig ?? userKubeconfigPath(), access);
    process.stdout.write('the cluster is gone\n');
    return 0;
  },
};

async function removeFromMachine(
  dataDir: string,
  last: RunningCluster | undefined,
  signal: AbortSignal,
): Promise<void> {
  const names = machineNames(dataDir);
  const { runDir, cgroupRoot } = names;
  const { podCidr = defaultPodCidr, serviceCidr = defaultServiceCidr, address = machineAddress() } = last ?? {};
  await removeNodeNetwork(nodeNetworkOf({ podCidr, serviceCidr, names }, address), signal).catch(() => {});
  await removeStrayPods(realNodePodCidr({ podCidr }), undefined, signal).catch(() => {});
  for (const folder of [dataDir, runDir]) await unmountAll(folder, signal).catch(() => {});
  rmSync(runDir, { recursive: true, force: true });
  const cgroups = await openCgroups(systemClock({ keepAlive: true }));
  await cgroups.remove(cgroupRoot, signal).catch(() => {});
}
