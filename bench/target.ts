import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Access, accessOf } from '#testing/access.ts';
import { LoadClient } from './load.ts';
import type { Side } from './table.ts';

/** A running control plane. */
export interface Target {
  readonly name: Side;
  readonly access: Access;
  /** Milliseconds from spawn to `/readyz`, as far as it was measured. */
  readonly readyMs: number;
  /** All its processes. */
  readonly pids: () => readonly number[];
  readonly stop: () => Promise<void>;
}

const root = join(import.meta.dirname, '..');
const port = 16700;
const pollMs = 2;

/** Stands for the user's, so that what is measured depends on nothing that was started before. */
export const cacheFolder = mkdtempSync(join(tmpdir(), 'proa-cache-'));
process.once('exit', () => rmSync(cacheFolder, { recursive: true, force: true }));

/** Starts Proa from its bundle. `dataDir` is kept between starts when it is given. */
export async function startProa(args: readonly string[], dataDir?: string): Promise<Target> {
  const folder = dataDir ?? mkdtempSync(join(tmpdir(), 'proa-bench-'));
  const kubeconfig = join(folder, 'kubeconfig');
  rmSync(kubeconfig, { force: true });
  // A proxy's certificates, which Node would read at each start, say nothing about ours.
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: undefined, XDG_CACHE_HOME: cacheFolder };
  const started = performance.now();
  const child = spawn(
    join(root, 'bin', 'proa.js'),
    ['up', '--data-dir', folder, '--kubeconfig', kubeconfig, '--port', String(port), ...args],
    { stdio: ['ignore', 'pipe', 'inherit'], env },
  );
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('is ready at')) resolve();
    });
    ended.then(() => reject(new Error(`proa ended: ${said}`)));
  });
  const access = accessOf(kubeconfig);
  const client = new LoadClient(access, 1);
  while (
    !(await client.call('GET', '/readyz').then(
      () => true,
      () => false,
    ))
  )
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  const readyMs = performance.now() - started;
  client.close();
  const pid = child.pid!;
  return {
    name: 'Proa',
    access,
    readyMs,
    pids: () => [pid],
    async stop() {
      child.kill('SIGTERM');
      await ended;
      if (dataDir === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Starts the official control plane through the peer script. */
export async function startPeer(script: string): Promise<Target> {
  const folder = mkdtempSync(join(tmpdir(), 'peer-bench-'));
  const up = spawnSync(script, ['up', folder], { encoding: 'utf8' });
  if (up.status !== 0) throw new Error(`the peer did not start: ${up.stdout}${up.stderr}`);
  const readyMs = Number(/ready after (\d+) ms/.exec(up.stdout)?.[1] ?? Number.NaN);
  return {
    name: 'official',
    access: accessOf(join(folder, 'kubeconfig')),
    readyMs,
    pids: () =>
      readdirSync(folder)
        .filter((file) => file.endsWith('.pid'))
        .map((file) => Number(readFileSync(join(folder, file), 'utf8'))),
    async stop() {
      spawnSync(script, ['down', folder]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Resident memory of processes in MB. */
export function residentMegabytes(pids: readonly number[]): number {
  const kilobytes = pids.map((pid) =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0),
  );
  return kilobytes.reduce((sum, value) => sum + value, 0) / 1024;
}

/** Processor time that processes have used so far, in seconds. */
export function cpuSeconds(pids: readonly number[]): number {
  const ticks = pids.map((pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, value) => sum + value, 0) / 100;
}
