import { releaseInfo } from '#machinery/version.ts';
import type { Command } from '../command.ts';

const help = `Say which version this is, and of which Kubernetes. "proa kubectl version" also asks the server.

Usage: proa version
`;

export const version: Command = {
  name: 'version',
  help,
  options: {},
  async run() {
    const { gitVersion, platform } = releaseInfo(process.platform, process.arch);
    process.stdout.write(`Kubernetes ${gitVersion}, ${platform}, Node ${process.version}\n`);
    return 0;
  },
};
