import { spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { systemClock } from '#base/clock.ts';
import { ensurePki } from '../src/cmd/pki.ts';
import { LoadClient } from './load.ts';
import type { Target } from './target.ts';

const root = join(import.meta.dirname, '..');
const host = '127.0.0.1';
const port = 16701;
/** As the launcher gives them to Proa. */
const heap = ['--min-semi-space-size=8', '--max-semi-space-size=16'];

/** A release of the bare server, and who may ask it. */
export interface BareRelease {
  start(): Promise<Target>;
  remove(): void;
}

/** Bundles the bare server as Proa is bundled. */
export async function buildBareServer(): Promise<BareRelease> {
  const folder = mkdtempSync(join(tmpdir(), 'bare-bench-'));
  const pki = await ensurePki(join(folder, 'pki'), { hosts: [host], now: systemClock().now() });
  const program = join(folder, 'bare-server.mjs');
  const entryPoints = [join(import.meta.dirname, 'bare-server.ts')];
  await build({ absWorkingDir: root, entryPoints, outfile: program, bundle: true, platform: 'node', format: 'esm' });
  copyFileSync(join(root, 'dist', 'sqlite-writer.js'), join(folder, 'sqlite-writer.js'));
  const access = { host, port, ca: pki.authority.certificate, cert: pki.admin.certificate, key: pki.admin.key };
  return {
    async start() {
      for (const file of ['state.db', 'state.db-wal', 'state.db-shm']) rmSync(join(folder, file), { force: true });
      const env = { ...process.env, NODE_EXTRA_CA_CERTS: undefined, NODE_COMPILE_CACHE: join(folder, 'cache') };
      const started = performance.now();
      const child = spawn(process.execPath, [...heap, program, folder, String(port)], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env,
      });
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      await new Promise<void>((resolve, reject) => {
        child.stdout.once('data', () => resolve());
        ended.then(() => reject(new Error('the bare server ended')));
      });
      const client = new LoadClient(access, 1);
      await client.call('GET', '/api/v1/namespaces/default/configmaps?limit=1');
      const readyMs = performance.now() - started;
      client.close();
      const stop = (): Promise<void> => {
        child.kill('SIGTERM');
        return ended;
      };
      return { name: 'bare', access, readyMs, pids: () => [child.pid!], stop };
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
