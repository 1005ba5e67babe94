import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { medianOf } from './load.ts';
import { cacheFolder, startProa } from './target.ts';

/** How long is waited for a snapshot at most. */
const snapshotSeconds = 30;
const warmStarts = 9;

/**
 * The first start of a release on a machine. One without a snapshot of the program takes one for the next, a few seconds
 * later: when this resolves, in milliseconds to `/readyz`, there is one, and nothing goes on beside what is measured next.
 */
export async function measureFirstStart(): Promise<number> {
  const first = await startProa(['--nodes', '0']);
  const release = readFileSync(join(import.meta.dirname, '..', 'dist', 'release'), 'utf8').trim();
  const key = join(cacheFolder, 'proa', release, 'key');
  for (let second = 0; second < snapshotSeconds && !existsSync(key); second++)
    await new Promise((resolve) => setTimeout(resolve, 1000));
  await first.stop();
  if (!existsSync(key)) throw new Error(`no snapshot was taken in ${snapshotSeconds} s`);
  return first.readyMs;
}

/** Milliseconds to `/readyz` of a cluster that has been started before. */
export async function measureWarmStart(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'proa-start-'));
  const start = async (): Promise<number> => {
    const target = await startProa(['--nodes', '0'], folder);
    await target.stop();
    return target.readyMs;
  };
  await start();
  const readyMs = await medianOf(warmStarts, start);
  rmSync(folder, { recursive: true, force: true });
  return readyMs;
}
