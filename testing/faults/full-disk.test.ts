import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ConfigMap } from '#kinds/generated/handles.ts';
import { ApiError } from '#machinery/errors.ts';
import { SqliteStore } from '#storage/sqlite/store.ts';
import { startApiServer } from '../cluster.ts';
import { isRoot } from '../machine.ts';

const namespace = 'default';
const payload = 'x'.repeat(100_000);
const configMap = (name: string) => ({ metadata: { name, namespace }, data: { payload } });

/** Enough to fill the disk several times over. */
const maxObjects = 500;

if (isRoot)
  test('a full disk: writes are refused and leave nothing behind, reads go on, and so do writes once there is room', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'proa-disk-'));
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'proa-test', folder]);
    assert.equal(mounted.status, 0, mounted.stderr.toString());
    try {
      const ballast = join(folder, 'ballast');
      await writeFile(ballast, Buffer.alloc(6 * 2 ** 20));
      const file = join(folder, 'state.db');
      const first = await SqliteStore.open(file);
      const { client, server } = await startApiServer({ store: first });
      let full: unknown;
      let stored = 0;
      for (; full === undefined && stored < maxObjects; stored++)
        await client.create(ConfigMap, configMap(`c${stored}`)).catch((error: unknown) => {
          full = error;
        });
      const refused = `c${stored - 1}`;
      assert.ok(full instanceof Error);
      assert.match(full.message, /disk is full|disk I\/O error/);
      await assert.rejects(client.get(ConfigMap, { name: refused, namespace }), (error) => is(error, 404));
      assert.equal((await client.get(ConfigMap, { name: 'c0', namespace })).data?.['payload'], payload);
      await unlink(ballast);
      await client.create(ConfigMap, configMap(refused));
      await client.delete(ConfigMap, { name: 'c0', namespace });
      server.stop();
      await first.close();
      const second = await SqliteStore.open(file);
      const again = await startApiServer({ store: second });
      const names = (await again.client.list(ConfigMap, { namespace })).items.map(({ metadata }) => metadata.name);
      assert.ok(names.includes(refused) && !names.includes('c0'));
      await again.stop();
    } finally {
      spawnSync('umount', ['-l', folder]);
      await rm(folder, { recursive: true, force: true });
    }
  });

function is(error: unknown, code: number): boolean {
  return error instanceof ApiError && error.code === code;
}
