import { readRunning, UserError } from '../../data-folder.ts';
import { kubeconfigText, ownAccess } from '../../kubeconfig.ts';
import { dataDirOf } from '../../machine-names.ts';
import type { Command } from '../command.ts';

const help = `Print a kubeconfig of the running cluster.

Usage: proa kubeconfig [--data-dir FOLDER]
`;

export const kubeconfig: Command = {
  name: 'kubeconfig',
  help,
  options: { 'data-dir': { type: 'string' } },
  async run(values) {
    const dataDir = dataDirOf(values);
    const running = readRunning(dataDir);
    if (running === undefined) throw new UserError('no cluster is running: start one with "proa up"');
    process.stdout.write(kubeconfigText(ownAccess(dataDir, running)));
    return 0;
  },
};
