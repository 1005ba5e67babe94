import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { freePort, hasProgram, type Outcome, ProaProcess, proa, run } from '../e2e/proa.ts';
import { isRoot } from '../machine.ts';

const entry = join(import.meta.dirname, '../../src/cmd/proa.ts');
/** Longer than a start takes on a busy machine; whoever does not end by then hangs. */
const limitMs = 30_000;

describe('a start that cannot succeed says why in one line, and ends', () => {
  let folder: string;
  let dataDir: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'proa-start-'));
    dataDir = join(folder, 'data');
  });

  after(() => rm(folder, { recursive: true, force: true }));

  const up = async (...args: readonly string[]): Promise<Outcome> => {
    const access = ['--kubeconfig', join(folder, 'kubeconfig')];
    return proa(['up', '--nodes', '0', '--data-dir', dataDir, ...access, ...args], { limitMs });
  };

  function assertRefused({ code, stderr }: Outcome, message: RegExp): void {
    assert.match(stderr, message);
    assert.match(stderr, /^error: [^\n]+\n$/, 'one line, no stack');
    assert.equal(code, 1);
  }

  test('the port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    assertRefused(await up('--port', String(port)), new RegExp(`port ${port} is taken.*--port`));
    server.close();
    // The failed start let go of everything: the same folder is good for the next one.
    const again = await up('--port', String(port), '--detach');
    assert.equal(again.code, 0, again.stderr);
    assert.equal((await proa(['down', '--data-dir', dataDir])).code, 0);
  });

  test('it is interrupted: what has begun is ended, and the folder is free', async () => {
    const place = join(folder, 'interrupted');
    await mkdir(place);
    const access = ['--kubeconfig', join(folder, 'kubeconfig')];
    const args = ['--no-warnings', entry, 'up', '--nodes', '0', '--data-dir', place, '--port', '0', ...access];
    const begun = watch(place);
    const start = spawn(process.execPath, args, { stdio: 'ignore' });
    await once(begun, 'change');
    begun.close();
    start.kill('SIGTERM');
    const [code, signal] = await once(start, 'exit');
    assert.deepEqual({ code, signal }, { code: 130, signal: null });
    assert.equal((await up('--data-dir', place, '--port', String(await freePort()), '--detach')).code, 0);
    assert.equal((await proa(['down', '--data-dir', place])).code, 0);
  });

  test('the data folder is in use', async () => {
    const cluster = await ProaProcess.start({ nodes: 0 });
    try {
      const port = String(await freePort());
      const second = await up('--data-dir', cluster.dataDir, '--port', port);
      assertRefused(second, /is in use by process \d+: stop that cluster with "proa down", or choose another/);
      assert.ok(await cluster.isReady(), 'the first one goes on');
    } finally {
      await cluster.remove();
    }
  });

  test('the database is damaged: nothing of it is touched', async () => {
    const damaged = join(folder, 'damaged');
    await mkdir(damaged);
    const bytes = Buffer.alloc(20_000, 'no database ');
    await writeFile(join(damaged, 'state.db'), bytes);
    assertRefused(
      await up('--data-dir', damaged, '--port', String(await freePort())),
      /state\.db is damaged: restore it from a backup, or start anew with "proa reset"/,
    );
    assert.deepEqual(await readFile(join(damaged, 'state.db')), bytes);
  });

  test('other files of the data folder are damaged, or it cannot be one', async () => {
    const damaged = join(folder, 'damaged-too');
    await mkdir(join(damaged, 'pki'), { recursive: true });
    await writeFile(join(damaged, 'pki', 'encryption.yaml'), 'kind: [');
    const port = String(await freePort());
    assertRefused(await up('--data-dir', damaged, '--port', port), /cannot use .*encryption\.yaml: yaml: /);
    await writeFile(join(damaged, 'lock.db'), Buffer.alloc(20_000, 'no database '));
    assertRefused(await up('--data-dir', damaged, '--port', port), /lock\.db is damaged: remove it/);
    const file = join(folder, 'file');
    await writeFile(file, '');
    assertRefused(
      await up('--data-dir', file, '--detach'),
      /cannot use the data folder .*file \(a file is in its place\)/,
    );
  });

  test('the configuration has a key that nobody knows', async () => {
    const config = join(folder, 'proa.yaml');
    await writeFile(config, 'prot: 1234\n');
    const fresh = join(folder, 'fresh');
    assertRefused(await up('--data-dir', fresh, '--config', config), /unknown key "prot"; known are dataDir, port,/);
    await writeFile(config, '');
    assertRefused(await up('--data-dir', fresh, '--config', config, '--port', 'http'), /--port must be/);
    await writeFile(config, 'podCidr: everywhere\n');
    assertRefused(await up('--data-dir', fresh, '--config', config), /podCidr must be an IPv4 range such as/);
    await writeFile(config, '{ a: [');
    assertRefused(await up('--data-dir', fresh, '--config', config), /cannot read .*proa\.yaml/);
    assertRefused(
      await up('--data-dir', fresh, '--port', 'http'),
      /--port must be a whole number up to 65535, not "http"/,
    );
    assertRefused(await up('--data-dir', fresh, '--prot', '1'), /Unknown option '--prot'.*"proa up --help"/);
    assertRefused(await up('--data-dir', fresh, '--feature-gates', 'NoSuch=true'), /unrecognized feature gate.*NoSuch/);
    await assert.rejects(readdir(fresh), 'nothing was made');
  });

  test('the kubeconfig cannot be written, or is none', async () => {
    const port = String(await freePort());
    assertRefused(
      await up('--port', port, '--kubeconfig', folder),
      /cannot use the kubeconfig .*it is a folder.*--kubeconfig/,
    );
    const broken = join(folder, 'broken');
    await writeFile(broken, 'clusters: [{');
    const merged = await proa(['up', '--nodes', '0', '--data-dir', join(folder, 'fresh')], {
      limitMs,
      env: { ...process.env, KUBECONFIG: broken },
    });
    assertRefused(merged, /cannot use the kubeconfig .*broken/);
    assertRefused(await up('--port', port, '--kubeconfig', broken), /cannot use the kubeconfig .*broken/);
    assert.equal(await readFile(broken, 'utf8'), 'clusters: [{');
    if (process.platform !== 'linux') return;
    // Only the attempt shows that nothing can be written here; what has started by then ends again.
    assertRefused(await up('--port', port, '--kubeconfig', '/proc/kubeconfig'), /no such file or directory/);
  });

  test('arguments that no command takes, and places that are empty', async () => {
    assertRefused(await up('now'), /unexpected argument "now"; "proa up --help" tells what it takes/);
    assertRefused(await up('--config', ''), /--config is empty: say where, or leave it out/);
    assertRefused(await up('--port', '65536'), /--port must be a whole number up to 65535, not "65536"/);
    assertRefused(await up('--nodes', '-1'), /'--nodes' argument is ambiguous; "proa up --help"/);
    if (process.platform === 'linux')
      assertRefused(await up('--data-dir', '/proc/proa'), /cannot use the data folder \/proc\/proa \(there is no such/);
  });

  test('a backup that is none', async () => {
    const file = join(folder, 'no-backup');
    await writeFile(file, 'hello');
    const restored = await proa(['restore', file, '--data-dir', join(folder, 'restored')], { limitMs });
    assertRefused(restored, /is no backup of a cluster: .*; nothing was changed/);
  });

  test('an unknown command', async () => {
    assertRefused(await proa(['upp']), /unknown command "upp"; "proa --help" lists them/);
  });

  if (isRoot && hasProgram('setpriv')) {
    const asNobody = (args: readonly string[]): Promise<Outcome> =>
      run('setpriv', [...nobody, process.execPath, '--no-warnings', entry, ...args], {
        limitMs,
        env: { ...process.env, HOME: '/nonexistent' },
      });
    // The checkout may lie in a folder that is closed to others: this nobody may read everything and write nothing.
    const readAll = ['--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search'];
    const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', ...readAll];

    test('a real node is asked for without root', async () => {
      const place = join(tmpdir(), `proa-nobody-${process.pid}`);
      assertRefused(await asNobody(['up', '--nodes', '1', '--data-dir', place]), /a real node needs root on Linux/);
      await assert.rejects(readdir(place));
    });

    test('the data folder belongs to somebody else', async () => {
      const place = join(folder, 'closed');
      await mkdir(place);
      await chmod(folder, 0o755);
      assertRefused(
        await asNobody(['up', '--nodes', '0', '--data-dir', place, '--port', String(await freePort())]),
        /cannot use the data folder .*closed.*: choose another with --data-dir/,
      );
      assert.deepEqual(await readdir(place), []);
    });
  }

  if (isRoot && hasProgram('containerd'))
    test('a part fails after the port has opened', async () => {
      const place = join(folder, 'late');
      await mkdir(place);
      await writeFile(join(place, 'node'), 'a file where a folder has to be');
      const config = join(folder, 'late.yaml');
      await writeFile(config, JSON.stringify({ podCidr: '10.208.0.0/16', serviceCidr: '10.209.0.0/16' }));
      const port = await freePort();
      const args = ['up', '--nodes', '1', '--data-dir', place, '--config', config, '--port', String(port)];
      assertRefused(await proa([...args, '--kubeconfig', join(folder, 'kubeconfig')], { limitMs }), /node/);
    });
});
