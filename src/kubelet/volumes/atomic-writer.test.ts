import assert from 'node:assert/strict';
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '#testing/machine.ts';
import { writeAtomically } from './atomic-writer.ts';

const files = (entries: Record<string, string>) =>
  new Map(Object.entries(entries).map(([path, text]) => [path, { data: Buffer.from(text), mode: 0o640 }]));

test('a set of files is replaced as a whole, through one link', async (t) => {
  const directory = await temporaryDirectory(t);
  assert.equal(await writeAtomically(directory, files({ a: '1', 'deep/er/b': '2' })), true);
  const first = await readlink(join(directory, '..data'));
  assert.equal(await readFile(join(directory, 'deep/er/b'), 'utf8'), '2');
  assert.equal((await stat(join(directory, 'a'))).mode & 0o777, 0o640);
  assert.equal(await writeAtomically(directory, files({ a: '1', 'deep/er/b': '2' })), false);
  assert.equal(await readlink(join(directory, '..data')), first);
  assert.equal(await writeAtomically(directory, files({ a: 'new', c: '3' })), true);
  const visible = (await readdir(directory)).filter((name) => !name.startsWith('..')).sort();
  assert.deepEqual(visible, ['a', 'c']);
  assert.equal(await readFile(join(directory, 'a'), 'utf8'), 'new');
  // What was there before is gone, not only hidden.
  assert.equal((await readdir(directory)).length, 4);
});
