import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort, hasProgram } from './e2e/proa.ts';

/** Whether etcd is on this machine; tests that need it are not defined without it. */
export const hasEtcd = hasProgram('etcd');

const readyLimitMs = 30_000;
const pollMs = 50;

/** A running etcd on loopback. */
export interface TestEtcd {
  readonly endpoints: readonly string[];
  /** Ends one member, at once, and starts it again later with what it had. */
  kill(member: number): Promise<void>;
  restart(member: number): Promise<void>;
  /** Stops a member without ending it. @returns what lets it go on. */
  freeze(member: number): () => void;
  stop(): Promise<void>;
}

/** Starts an etcd of so many members, with their data in `folder`. */
export async function startEtcd(folder: string, members = 1): Promise<TestEtcd> {
  const names = Array.from({ length: members }, (_, index) => `m${index}`);
  const ports = await Promise.all(names.map(async () => ({ client: await freePort(), peer: await freePort() })));
  const url = (port: number): string => `http://127.0.0.1:${port}`;
  const cluster = names.map((name, index) => `${name}=${url(ports[index]!.peer)}`).join(',');
  const start = (index: number): ChildProcess => {
    const { client, peer } = ports[index]!;
    const flags = {
      name: names[index]!,
      'data-dir': join(folder, names[index]!),
      'listen-client-urls': url(client),
      'advertise-client-urls': url(client),
      'listen-peer-urls': url(peer),
      'initial-advertise-peer-urls': url(peer),
      'initial-cluster': cluster,
      'log-level': 'error',
    };
    const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
    return spawn('etcd', [...args, '--unsafe-no-fsync'], { stdio: 'ignore' });
  };
  const running = names.map((_, index) => start(index));
  const end = async (child: ChildProcess): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  const endpoints = ports.map(({ client }) => url(client));
  await Promise.all(endpoints.map(healthy));
  return {
    endpoints,
    kill: (member) => end(running[member]!),
    async restart(member) {
      running[member] = start(member);
      await healthy(endpoints[member]!);
    },
    freeze(member) {
      running[member]!.kill('SIGSTOP');
      return () => running[member]!.kill('SIGCONT');
    },
    async stop() {
      await Promise.all(running.map(end));
    },
  };
}

async function healthy(endpoint: string): Promise<void> {
  const deadline = Date.now() + readyLimitMs;
  for (;;) {
    const answer = await fetch(`${endpoint}/health`).catch(() => undefined);
    if (answer?.ok === true && ((await answer.json()) as { readonly health: string }).health === 'true') return;
    if (Date.now() > deadline) throw new Error(`${endpoint} does not become healthy`);
    await pause(pollMs);
  }
}
