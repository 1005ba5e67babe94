import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { UserError } from './data-folder.ts';
import { ensurePki } from './pki.ts';

const options = { hosts: ['localhost'], now: Date.UTC(2026, 0, 1) };

test('a damaged key or certificate is told of with its file and what to do, and is left as it is', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'proa-pki-'));
  t.after(() => rmSync(folder, { recursive: true }));
  await ensurePki(folder, options);
  const refusal = async (): Promise<string> => {
    const error = await ensurePki(folder, options).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    return error instanceof UserError ? error.message : assert.fail(`no refusal: ${String(error)}`);
  };
  for (const [name, remedy] of [
    ['ca.crt', 'restore it from a backup, or start anew with "proa reset"'],
    ['ca.key', 'restore it from a backup, or start anew with "proa reset"'],
    ['sa.key', 'restore it from a backup, or start anew with "proa reset"'],
    ['admin.crt', 'remove it, and it is made anew'],
    ['apiserver.key', 'remove it, and it is made anew'],
  ] as const) {
    const file = join(folder, name);
    const whole = readFileSync(file, 'utf8');
    for (const damaged of ['', whole.slice(0, 60)]) {
      writeFileSync(file, damaged);
      assert.equal(await refusal(), `${file} is damaged: ${remedy}`);
      assert.equal(readFileSync(file, 'utf8'), damaged);
    }
    writeFileSync(file, whole);
  }
  const [key, certificate] = [join(folder, 'admin.key'), join(folder, 'admin.crt')];
  copyFileSync(join(folder, 'apiserver.key'), key);
  assert.equal(await refusal(), `${key} is not the key of ${certificate}: remove it, and it is made anew`);
  rmSync(key);
  const { admin } = await ensurePki(folder, options);
  assert.equal(admin.key, readFileSync(key, 'utf8'));
});
