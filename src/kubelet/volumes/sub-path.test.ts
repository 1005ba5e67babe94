import assert from 'node:assert/strict';
import { mkdir, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '#testing/machine.ts';
import { resolveSubPath } from './sub-path.ts';

test('a subPath is made inside the volume, and never leads out of it', async (t) => {
  const base = await temporaryDirectory(t);
  const volume = join(base, 'volume');
  await mkdir(volume);
  const made = await resolveSubPath(volume, 'logs/app');
  assert.ok((await stat(made)).isDirectory());
  await symlink('logs', join(volume, 'inside'));
  assert.equal(await resolveSubPath(volume, 'inside/app'), made);
  await symlink(base, join(volume, 'outside'));
  await assert.rejects(resolveSubPath(volume, 'outside/secret'), /not inside the volume/);
  await assert.rejects(resolveSubPath(volume, '../secret'), /relative path/);
  await assert.rejects(resolveSubPath(volume, '/etc'), /relative path/);
});
