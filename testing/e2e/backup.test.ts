import assert from 'node:assert/strict';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ProaProcess, proa } from './proa.ts';

describe('a backup', () => {
  let cluster: ProaProcess;
  const ours = (...args: readonly string[]) => proa(['kubectl', ...args], { env: cluster.environment });

  before(async () => {
    cluster = await ProaProcess.start({ nodes: 0, simulatedNodes: 1 });
  });

  after(() => cluster.remove());

  test('made while the cluster runs brings back what there was, Secrets too, and nothing that came later', async () => {
    const file = join(cluster.folder, 'backup.tar.gz');
    assert.equal((await ours('create', 'secret', 'generic', 'kept', '--from-literal=word=hidden')).code, 0);
    assert.equal((await ours('create', 'configmap', 'lost', '--from-literal=a=b')).code, 0);
    assert.equal((await proa(['backup', file, '--data-dir', cluster.dataDir])).stderr, '');
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal((await ours('create', 'configmap', 'later')).code, 0);
    assert.equal((await ours('delete', 'configmap', 'lost')).code, 0);
    await cluster.crash();
    assert.equal((await proa(['restore', file, '--data-dir', cluster.dataDir])).stderr, '');
    await cluster.start();
    assert.match((await ours('get', 'secret', 'kept', '-o', 'jsonpath={.data.word}')).stdout, /aGlkZGVu/);
    assert.equal((await ours('get', 'configmap', 'lost')).code, 0);
    assert.match((await ours('get', 'configmap', 'later')).stderr, /NotFound/);
    assert.equal((await ours('create', 'configmap', 'new')).code, 0);
  });

  test('is refused while the cluster runs, and when the file is something else', async () => {
    const file = join(cluster.folder, 'no-backup');
    await writeFile(file, 'something else');
    await chmod(file, 0o600);
    const running = await proa(['restore', file, '--data-dir', cluster.dataDir]);
    assert.equal(running.code, 1);
    assert.match(running.stderr, /is in use/);
    await cluster.crash();
    const before = await readFile(join(cluster.dataDir, 'state.db'));
    const refused = await proa(['restore', file, '--data-dir', cluster.dataDir]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /is no backup of a cluster/);
    assert.deepEqual(await readFile(join(cluster.dataDir, 'state.db')), before);
  });
});
