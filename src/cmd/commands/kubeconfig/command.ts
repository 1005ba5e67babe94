import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRunning, UserError } from '../../data-folder.ts';
import { kubeconfigText } from '../../kubeconfig.ts';
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
    const read = (name: string): string => readFileSync(join(dataDir, 'pki', name), 'utf8');
    const admin = { certificate: read('admin.crt'), key: read('admin.key') };
    process.stdout.write(
      kubeconfigText({ server: `https://127.0.0.1:${running.port}`, certificateAuthority: read('ca.crt'), admin }),
    );
    return 0;
  },
};
