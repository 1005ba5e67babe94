import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '#base/clock.ts';
import { silentLog } from '#base/log.ts';
import { secureRandom } from '#base/random.ts';
import { type Containerd, connectContainerd } from '#kubelet/containerd/daemon/start.ts';
import { UserError } from '../../data-folder.ts';
import { dataDirOf, machineNames } from '../../machine-names.ts';
import type { Command } from '../command.ts';

const help = `Bring images to the node without a registry, and see what is there.

Usage: proa image load ARCHIVE...    an OCI or docker archive, as "docker save" writes
       proa image list
       [--data-dir FOLDER]
`;

export const image: Command = {
  name: 'image',
  help,
  options: { 'data-dir': { type: 'string' } },
  mostArguments: Number.POSITIVE_INFINITY,
  async run(values, [action, ...files]) {
    const socketPath = join(machineNames(dataDirOf(values)).runDir, 'containerd.sock');
    if (!existsSync(socketPath)) throw new UserError('there is no real node here: start one with "proa up" as root');
    const signal = AbortSignal.timeout(10 * 60_000);
    const environment = { clock: systemClock({ keepAlive: true }), random: secureRandom(), log: silentLog };
    const containerd = await connectContainerd({ socketPath, environment }, signal);
    try {
      if (action === 'load' && files.length > 0) await load(containerd, files, signal);
      else if (action === 'list') await list(containerd, signal);
      else throw new UserError('say "proa image load ARCHIVE..." or "proa image list"');
    } finally {
      containerd.close();
    }
    return 0;
  },
};

async function load(containerd: Containerd, files: readonly string[], signal: AbortSignal): Promise<void> {
  for (const file of files) {
    if (!existsSync(file)) throw new UserError(`there is no file ${file}`);
    for (const name of await containerd.importImages(file, signal)) process.stdout.write(`loaded ${name}\n`);
  }
}

async function list(containerd: Containerd, signal: AbortSignal): Promise<void> {
  const images = await containerd.cri.listImages({}, signal);
  const rows = images.flatMap(({ repoTags = [], id, size }) => repoTags.map((tag) => ({ tag, id, size })));
  const width = Math.max(5, ...rows.map(({ tag }) => tag.length));
  process.stdout.write(`${'IMAGE'.padEnd(width)}  ID            SIZE\n`);
  for (const { tag, id, size } of rows.sort((left, right) => (left.tag < right.tag ? -1 : 1))) {
    process.stdout.write(
      `${tag.padEnd(width)}  ${String(id).replace('sha256:', '').slice(0, 12)}  ${megabytes(Number(size))}\n`,
    );
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
