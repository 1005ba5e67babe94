import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { pack } from 'tar-stream';
import { packFiles, unpackFiles } from './archive.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'archive-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a folder comes out as it went in', async () => {
  mkdirSync(join(folder, 'site', 'deep'), { recursive: true });
  writeFileSync(join(folder, 'site', 'a'), 'one');
  writeFileSync(join(folder, 'site', 'deep', 'b'), Buffer.alloc(100_000, 7));
  const warnings: string[] = [];
  const archive = packFiles(join(folder, 'site'), 'var/www');
  await unpackFiles(archive, '/var/www', join(folder, 'copy'), (text) => warnings.push(text));
  assert.deepEqual(warnings, []);
  assert.equal(readFileSync(join(folder, 'copy', 'a'), 'utf8'), 'one');
  assert.equal(readFileSync(join(folder, 'copy', 'deep', 'b')).length, 100_000);
});

test('an existing folder takes a copied file in', async () => {
  writeFileSync(join(folder, 'a'), 'one');
  mkdirSync(join(folder, 'into'));
  await unpackFiles(packFiles(join(folder, 'a'), 'etc/a'), '/etc/a', join(folder, 'into'), assert.fail);
  assert.equal(readFileSync(join(folder, 'into', 'a'), 'utf8'), 'one');
});

test('what a container sends never lands outside the destination, and links are left out', async () => {
  const archive = pack();
  archive.entry({ name: 'data/../../escaped' }, 'x');
  archive.entry({ name: 'elsewhere/file' }, 'x');
  archive.entry({ name: 'data/link', type: 'symlink', linkname: '/etc' });
  archive.entry({ name: 'data/fine' }, 'x');
  archive.finalize();
  const warnings: string[] = [];
  await unpackFiles(archive as AsyncIterable<Uint8Array>, '/data', join(folder, 'deep', 'to'), (text) =>
    warnings.push(text),
  );
  assert.equal(warnings.length, 3);
  assert.equal(existsSync(join(folder, 'escaped')) || existsSync(join(folder, 'deep', 'escaped')), false);
  assert.equal(existsSync(join(folder, 'deep', 'to', 'link')), false);
  assert.equal(readFileSync(join(folder, 'deep', 'to', 'fine'), 'utf8'), 'x');
});
