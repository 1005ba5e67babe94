import { createReadStream, createWriteStream, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { lastRevision, leapTo } from '#storage/sqlite/schema.ts';
import { lockDataFolder, UserError } from '../../data-folder.ts';
import { dataDirOf } from '../../machine-names.ts';
import type { Command } from '../command.ts';

const help = `Bring a cluster back from a file that "proa backup" wrote. The cluster has to be down; what its data folder holds is
replaced.

Usage: proa restore FILE [--data-dir FOLDER]
`;

/**
 * Clients may know revisions that came after the backup. The restored cluster goes on beyond them, and what they want to
 * resume from is gone, so that they read everything anew (as etcd's `--bump-revision --mark-compacted`).
 */
const revisionsAhead = 1_000_000_000;

export const restore: Command = {
  name: 'restore',
  help,
  options: { 'data-dir': { type: 'string' } },
  mostArguments: 1,
  async run(values, [file]) {
    if (file === undefined) throw new UserError('say from where: proa restore FILE');
    if (!existsSync(file)) throw new UserError(`there is no file ${file}`);
    const dataDir = dataDirOf(values);
    const lock = lockDataFolder(dataDir);
    const fresh = join(dataDir, 'restored');
    try {
      rmSync(fresh, { recursive: true, force: true });
      await unpack(file, fresh);
      leap(join(fresh, 'state.db'));
      for (const name of ['state.db', 'state.db-wal', 'state.db-shm', 'pki'])
        rmSync(join(dataDir, name), { recursive: true, force: true });
      for (const name of ['pki', 'state.db']) renameSync(join(fresh, name), join(dataDir, name));
    } finally {
      rmSync(fresh, { recursive: true, force: true });
      lock.release();
    }
    process.stdout.write('the cluster is restored; "proa up" starts it\n');
    return 0;
  },
};

/** Only what a backup holds is taken out of the archive, wherever else it may point. */
const expected = /^(state\.db|pki\/[\w.-]+)$/;

async function unpack(file: string, folder: string): Promise<void> {
  mkdirSync(join(folder, 'pki'), { recursive: true, mode: 0o700 });
  try {
    const archive = extract();
    const read = pipeline(createReadStream(file), createGunzip(), archive);
    // The archive ends with the same failure.
    read.catch(() => undefined);
    for await (const entry of archive) {
      const path = join(folder, entry.header.name);
      if (!expected.test(entry.header.name)) throw new Error(`unexpected entry ${JSON.stringify(entry.header.name)}`);
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      await pipeline(entry, createWriteStream(path, { mode: 0o600 }));
    }
    await read;
    if (!existsSync(join(folder, 'state.db'))) throw new Error('it holds no state');
  } catch (error) {
    throw new UserError(
      `${file} is no backup of a cluster: ${error instanceof Error ? error.message : String(error)}; nothing was changed`,
    );
  }
}

function leap(state: string): void {
  const database = new DatabaseSync(state);
  leapTo(database, lastRevision(database) + revisionsAhead);
  database.close();
}
