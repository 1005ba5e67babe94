import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startControllers } from '#controllers/index.ts';
import { Secret, StorageVersionMigration } from '#kinds/generated/handles.ts';
import { startApiServer } from './cluster.ts';

test('a StorageVersionMigration seals every Secret under the key that is first now', async (t) => {
  const path = mkdtempSync(join(tmpdir(), 'proa-migration-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  const configFile = join(path, 'encryption.json');
  const write = (...names: string[]): void => {
    const providers = names.map((name) => ({
      aesgcm: { keys: [{ name, secret: Buffer.alloc(32, name).toString('base64') }] },
    }));
    const resources = [{ resources: ['secrets'], providers }];
    writeFileSync(
      configFile,
      JSON.stringify({ kind: 'EncryptionConfiguration', apiVersion: 'apiserver.config.k8s.io/v1', resources }),
    );
  };
  write('old');
  const { client, environment, store, stop } = await startApiServer({ encryption: { configFile } });
  const stopping = new AbortController();
  const running = startControllers({ client, environment, rootCa: 'an authority' }, stopping.signal);
  for (const name of ['a', 'b', 'c']) await client.create(Secret, { metadata: { name, namespace: 'default' } });
  const prefixes = async (): Promise<readonly string[]> => {
    const range = await store.range('/registry/secrets/');
    assert.ok(range.outcome === 'read');
    return range.entries.map(({ value }) => Buffer.from(value.bytes).toString('latin1').split(':')[4] ?? '');
  };
  assert.deepEqual(await prefixes(), ['old', 'old', 'old']);
  write('new', 'old');
  await environment.clock.advance(10_000);
  const spec = { resource: { group: '', resource: 'secrets' } };
  await client.create(StorageVersionMigration, { metadata: { name: 'rotate' }, spec });
  const succeeded = async (): Promise<boolean> => {
    const { status } = await client.get(StorageVersionMigration, { name: 'rotate' });
    return status?.conditions?.some(({ type, status: value }) => type === 'Succeeded' && value === 'True') === true;
  };
  for (let turn = 0; turn < 100 && !(await succeeded()); turn++) await environment.clock.advance(100);
  assert.ok(await succeeded());
  assert.deepEqual(await prefixes(), ['new', 'new', 'new']);
  stopping.abort();
  await running;
  await stop();
});
