import { readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isAlive } from '../alive.ts';

/** Of so many releases the snapshots are kept: who goes back and forth between two of them starts as fast with both. */
export const keptReleases = 3;

/** Releases are named by a hash of their program; Node keeps compiled code beside them, in folders of its own. */
const releaseName = /^[0-9a-f]{32}$/;
const unfinished = /^snapshot-(\d+)(?:\.key)?$/;

/**
 * Removes snapshots of releases that have not been started for the longest time, and what was left of snapshots whose
 * taker was killed.
 * @param folder the snapshots of the release that runs, which stay
 */
export async function cleanUpSnapshots(folder: string): Promise<void> {
  const all = dirname(folder);
  const names = (await readdir(all)).filter((name) => releaseName.test(name) && name !== basename(folder));
  const others = await Promise.all(
    names.map(async (name) => {
      const path = join(all, name);
      return { path, changed: (await stat(path)).mtimeMs };
    }),
  );
  const newestFirst = others.toSorted((left, right) => right.changed - left.changed).map(({ path }) => path);
  for (const old of newestFirst.slice(keptReleases - 1)) await rm(old, { recursive: true, force: true });
  for (const kept of [folder, ...newestFirst.slice(0, keptReleases - 1)]) await removeUnfinished(kept);
}

async function removeUnfinished(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const taker = unfinished.exec(name)?.[1];
    if (taker !== undefined && !isAlive(Number(taker))) await rm(join(folder, name), { force: true });
  }
}
