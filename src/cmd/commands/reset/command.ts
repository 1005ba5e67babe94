import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { unmountAll } from '#kubelet/containerd/mounts.ts';
import { runCommand } from '#network/run-command.ts';
import { restoreHost } from '#network/services/host.ts';
import { defaultDataDir, defaultPodCidr, defaultServiceCidr, isRoot, machineAddress } from '../../config.ts';
import { readRunning, UserError } from '../../data-folder.ts';
import { removeFromKubeconfig, userKubeconfigPath } from '../../kubeconfig.ts';
import { hostNetworkOf, nftablesTable } from '../../real-node.ts';
import { type Command, text } from '../command.ts';
import { down } from '../down/command.ts';

const help = `Remove the cluster and everything that it left on this machine: containers, images, state, certificates, network
rules and the context "proa" of your kubeconfig.

Usage: proa reset [--data-dir FOLDER]
`;

/** Only a folder that a cluster made is ever deleted. */
const marks = ['state.db', 'pki', 'lock.db'];

export const reset: Command = {
  name: 'reset',
  summary: 'Remove the cluster, its state and its traces',
  help,
  options: { 'data-dir': { type: 'string' } },
  async run(values) {
    const dataDir = text(values, 'data-dir') ?? defaultDataDir();
    const running = readRunning(dataDir);
    if (existsSync(dataDir) && !marks.some((name) => existsSync(join(dataDir, name)))) {
      throw new UserError(`${dataDir} does not look like a data folder of Proa: nothing was deleted`);
    }
    await down.run(values, []);
    const signal = AbortSignal.timeout(60_000);
    if (isRoot()) {
      const ranges = {
        podCidr: running?.podCidr ?? defaultPodCidr,
        serviceCidr: running?.serviceCidr ?? defaultServiceCidr,
      };
      await runCommand('nft', ['delete', 'table', 'ip', nftablesTable], signal).catch(() => {});
      await restoreHost(hostNetworkOf(ranges, running?.address ?? machineAddress()), signal).catch(() => {});
      for (const folder of [dataDir, running?.runDir ?? '/run/proa']) await unmountAll(folder, signal).catch(() => {});
      rmSync(running?.runDir ?? '/run/proa', { recursive: true, force: true });
    }
    rmSync(dataDir, { recursive: true, force: true });
    removeFromKubeconfig(running?.kubeconfig ?? userKubeconfigPath());
    process.stdout.write('the cluster is gone\n');
    return 0;
  },
};
