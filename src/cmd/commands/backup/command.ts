import { createWriteStream, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { backup as copyDatabase, DatabaseSync } from 'node:sqlite';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { UserError } from '../../data-folder.ts';
import { fileTrouble } from '../../files.ts';
import { dataDirOf } from '../../machine-names.ts';
import type { Command } from '../command.ts';

const help = `Write the cluster's state and keys to one file, while the cluster runs or when it is down.

Usage: proa backup FILE [--data-dir FOLDER]

The file holds the keys that open the cluster's Secrets: keep it as safe as the cluster itself. "proa restore FILE"
brings the cluster back as it was.
`;

const secretMode = 0o600;

export const backup: Command = {
  name: 'backup',
  help,
  options: { 'data-dir': { type: 'string' } },
  mostArguments: 1,
  async run(values, [file]) {
    if (file === undefined) throw new UserError('say where to: proa backup FILE');
    const dataDir = dataDirOf(values);
    const state = join(dataDir, 'state.db');
    if (!existsSync(state)) throw new UserError(`there is no cluster's state in ${dataDir}`);
    const copies = mkdtempSync(join(dataDir, 'backup-'));
    try {
      const source = new DatabaseSync(state, { readOnly: true });
      const copy = join(copies, 'state.db');
      await copyDatabase(source, copy);
      source.close();
      await writeArchive(resolve(file), [
        { name: 'state.db', path: copy },
        ...readdirSync(join(dataDir, 'pki')).map((name) => ({ name: `pki/${name}`, path: join(dataDir, 'pki', name) })),
      ]);
    } finally {
      rmSync(copies, { recursive: true, force: true });
    }
    process.stdout.write(`the cluster is in ${file}\n`);
    return 0;
  },
};

async function writeArchive(
  file: string,
  entries: readonly { readonly name: string; readonly path: string }[],
): Promise<void> {
  const archive = pack();
  const written = pipeline(archive, createGzip(), createWriteStream(file, { mode: secretMode }));
  try {
    for (const { name, path } of entries) archive.entry({ name, mode: secretMode }, readFileSync(path));
    archive.finalize();
    await written;
  } catch (error) {
    archive.destroy();
    await written.catch(() => undefined);
    throw new UserError(`cannot write ${file} (${fileTrouble(error)}): choose another place`);
  }
}
