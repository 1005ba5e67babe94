import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UserError } from '../../data-folder.ts';
import type { Command } from '../command.ts';

const help = `Print the folder whose kube-apiserver, etcd and kubectl are ours.

Usage: KUBEBUILDER_ASSETS=$(proa envtest) go test ./...

What controller-runtime's envtest, and whatever else starts these programs, finds there takes their flags and keeps
everything in memory.
`;

export const envtest: Command = {
  name: 'envtest',
  help,
  options: {},
  async run() {
    process.stdout.write(`${assetsFolder()}\n`);
    return 0;
  },
};

/** `bin/envtest` of the package, wherever this file was bundled to. */
function assetsFolder(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const assets = join(folder, 'bin', 'envtest');
    if (existsSync(join(assets, 'kube-apiserver'))) return assets;
    if (dirname(folder) === folder) throw new UserError('the folder bin/envtest of the package is not there');
  }
}
