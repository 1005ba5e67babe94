import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { freePort, hasProgram, type Outcome, run, until } from './proa.ts';

const root = join(import.meta.dirname, '../..');
const installLimitMs = 180_000;

if (hasProgram('npm'))
  describe('the package that npm installs', () => {
    let folder: string;

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'proa-package-'));
      // Without npm's own scripts: they would set up the very repository whose tests are running.
      const built = await run(process.execPath, ['tools/build.ts'], { cwd: root });
      assert.equal(built.code, 0, built.stderr);
      const packed = await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: root });
      assert.equal(packed.code, 0, packed.stderr);
      const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
      assert.ok(tarball);
      await writeFile(join(folder, 'package.json'), '{}');
      const args = ['install', '--prefer-offline', '--no-audit', '--no-fund', `./${tarball}`];
      const installed = await run('npm', args, { cwd: folder, limitMs: installLimitMs });
      assert.equal(installed.code, 0, installed.stderr);
    });

    after(() => rm(folder, { recursive: true, force: true }));

    async function startAndStop(node: readonly string[]): Promise<void> {
      const dataDir = join(folder, 'data');
      const proa = (...args: readonly string[]): Promise<Outcome> => {
        const [program = '', ...rest] = [...node, join(folder, 'node_modules/.bin/proa'), ...args];
        return run(program, [...rest, '--data-dir', dataDir], { cwd: folder });
      };
      const access = ['--kubeconfig', join(folder, 'kubeconfig')];
      const up = await proa('up', '--nodes', '0', '--detach', '--port', String(await freePort()), ...access);
      assert.equal(up.code, 0, up.stdout + up.stderr);
      assert.match(up.stdout, /Kubernetes v1\.36 is ready at https:\/\/127\.0\.0\.1:\d+\n/);
      const status = await proa('status');
      assert.match(status.stdout, /^running {5}for \d+s, process \d+\n/, status.stderr);
      assert.match(await readFile(join(folder, 'kubeconfig'), 'utf8'), /current-context: proa/);
      const down = await proa('down');
      assert.equal(down.stdout, 'the cluster is down\n', down.stderr);
      assert.equal((await proa('status')).code, 3);
      const reset = await proa('reset');
      assert.match(reset.stdout, /the cluster is gone\n$/, reset.stderr);
    }

    test('starts from a snapshot of the program once a start has taken one, and without it when Node has changed', async () => {
      const env = { ...process.env, XDG_CACHE_HOME: join(folder, 'cache') };
      const data = ['--data-dir', join(folder, 'data'), '--kubeconfig', join(folder, 'kubeconfig')];
      const proa = (...args: readonly string[]): Promise<Outcome> =>
        run(join(folder, 'node_modules/.bin/proa'), args, { cwd: folder, env });
      const release = await readFile(join(folder, 'node_modules/proa/dist/release'), 'utf8');
      const snapshots = join(folder, 'cache/proa', release.trim());
      /** Whether a cluster came up from the snapshot. It stays up until `then` has been done. */
      const started = async (then: () => Promise<unknown> = async () => {}): Promise<boolean> => {
        const port = ['--port', String(await freePort())];
        const up = await proa('up', '--nodes', '0', '--simulated-nodes', '1', '--detach', ...port, ...data);
        assert.equal(up.code, 0, up.stdout + up.stderr);
        const status = await proa('status', ...data.slice(0, 2));
        const pid = /process (\d+)/.exec(status.stdout)?.[1];
        const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8');
        const nodes = await proa('kubectl', ...data.slice(2), 'get', 'nodes');
        assert.match(nodes.stdout, /simulated-1/, nodes.stderr);
        await then();
        assert.equal((await proa('down', ...data.slice(0, 2))).code, 0);
        return commandLine.includes('--snapshot-blob');
      };
      const hasKey = async () => existsSync(join(snapshots, 'key'));
      // No process has this number: Linux counts up to one less.
      const leftover = join(snapshots, 'snapshot-4194304');
      await mkdir(snapshots, { recursive: true });
      await writeFile(leftover, '');
      assert.equal(await started(() => until(hasKey, (has) => has)), false);
      assert.equal(existsSync(leftover), false);
      assert.equal(await started(), true);
      await writeFile(join(snapshots, 'key'), `${process.execPath}\n1 2 3 4\n`);
      assert.equal(await started(), false);
      await proa('reset', ...data.slice(0, 2));
    });

    test('starts and stops a cluster with the Node that runs these tests', () => startAndStop([process.execPath]));

    test('starts and stops a cluster with whatever Node the machine has', async () => {
      // Without this repository's own Node in front.
      const path = (process.env['PATH'] ?? '').split(':').filter((part) => !part.includes('node_modules'));
      const { stdout } = await run('sh', ['-c', 'command -v node'], { env: { ...process.env, PATH: path.join(':') } });
      const node = stdout.trim();
      if (node !== '') await startAndStop([node]);
    });
  });
