import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { cleanUpSnapshots, keptReleases } from './clean-up.ts';

const release = (digit: number): string => String(digit).repeat(32);

test('snapshots of the last few releases stay, without what takers that were killed left in them', async (t) => {
  const cache = await mkdtemp(join(tmpdir(), 'proa-cache-'));
  t.after(() => rm(cache, { recursive: true, force: true }));
  const dead = spawnSync(process.execPath, ['--version']).pid;
  const ownCode = 'v24.21.0-x64-8a401746-0';
  for (const name of [...[0, 1, 2, 3, 4].map(release), ownCode]) {
    await mkdir(join(cache, name));
    for (const file of ['key', 'snapshot', `snapshot-${dead}`, `snapshot-${dead}.key`, `snapshot-${process.pid}`])
      await writeFile(join(cache, name, file), '');
  }
  // The one that runs is the oldest here, and of the others the first is the newest.
  for (const age of [1, 2, 3, 4]) await utimes(join(cache, release(age)), 1000 - age, 1000 - age);
  await utimes(join(cache, release(0)), 1, 1);

  await cleanUpSnapshots(join(cache, release(0)));

  assert.equal(keptReleases, 3);
  assert.deepEqual((await readdir(cache)).sort(), [release(0), release(1), release(2), ownCode]);
  for (const kept of [0, 1, 2])
    assert.deepEqual((await readdir(join(cache, release(kept)))).sort(), [
      'key',
      'snapshot',
      `snapshot-${process.pid}`,
    ]);
  assert.equal((await readdir(join(cache, ownCode))).length, 5);
});
