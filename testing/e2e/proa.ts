import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';

const root = join(import.meta.dirname, '..', '..');

/** How a program ended and what it said. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** No program in these tests takes longer unless it hangs. */
const programLimitMs = 60_000;
const readyLimitMs = 60_000;
const pollMs = 100;

/** Whether a program is on this machine; tests that need one are not defined without it. */
export function hasProgram(name: string): boolean {
  return spawnSync('sh', ['-c', 'command -v "$0"', name]).status === 0;
}

/** Runs a program to its end. It is killed, and the test fails, when it takes longer than `limitMs`. */
export async function run(
  program: string,
  args: readonly string[],
  options: SpawnOptions & { readonly input?: string; readonly limitMs?: number } = {},
): Promise<Outcome> {
  const { input, limitMs = programLimitMs, ...spawnOptions } = options;
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], ...spawnOptions });
  const killer = setTimeout(() => child.kill('SIGKILL'), limitMs);
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.on('data', (chunk: Buffer) => {
      said[name] += chunk.toString();
    });
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  clearTimeout(killer);
  if (signal === 'SIGKILL')
    throw new Error(`${program} ${args.join(' ')} did not end: ${said.stdout.slice(-2000)}${said.stderr.slice(-2000)}`);
  return { code, ...said };
}

/** Asks until the answer is `wanted`. @throws Error with the last answer when it never is. */
export async function until<T>(
  ask: () => Promise<T>,
  wanted: (answer: T) => boolean,
  limitMs = programLimitMs,
): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (wanted(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`never came true: ${JSON.stringify(answer)?.slice(0, 3000)}`);
    await pause(pollMs);
  }
}

/** A port that nothing listened on a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** `proa` with its arguments, from source, with this Node. */
export function proa(args: readonly string[], options: Parameters<typeof run>[2] = {}): Promise<Outcome> {
  return run(process.execPath, [join(root, 'src/cmd/proa.ts'), ...args], options);
}

/** A program that goes on, and its lines as they come. */
class Following {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(child: ChildProcess, output: Readable) {
    this.#child = child;
    this.#lines = linesOf(output);
  }

  /** The next line that is wanted, or nothing when the program ends or the time is up. */
  async line(wanted: (line: string) => boolean, limitMs = 30_000): Promise<string | undefined> {
    const killer = setTimeout(() => this.#child.kill('SIGKILL'), limitMs);
    try {
      for (;;) {
        const { done, value } = await this.#lines.next();
        if (done || wanted(value)) return value;
      }
    } finally {
      clearTimeout(killer);
    }
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill();
    await once(this.#child, 'exit');
  }
}

async function* linesOf(output: Readable): AsyncGenerator<string, undefined> {
  let rest = '';
  for await (const chunk of output) {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop()!;
    yield* lines;
  }
  return undefined;
}

/** A cluster of its own in a process of its own, which a test can kill and start again. */
export class ProaProcess {
  readonly folder: string;
  readonly port: number;
  #child: ChildProcess | undefined;
  #said = '';

  private constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
  }

  /**
   * Starts `proa up` with a folder, a port and address ranges that no other cluster on the machine has.
   * @param options `nodes` as in `--nodes`; `network`, the second byte of the pod range (the services' is one more).
   */
  static async start(options: {
    readonly nodes: 0 | 1;
    readonly simulatedNodes?: number;
    readonly network?: number;
    /** Members of an etcd that keeps the state. */
    readonly etcdServers?: readonly string[];
    /** A server on the same store, whose keys this one has to share. */
    readonly besides?: ProaProcess;
    /** What the server tells others of where it is; it listens on loopback all the same. */
    readonly advertiseAddress?: string;
  }): Promise<ProaProcess> {
    const { nodes, simulatedNodes = 0, network = 200, etcdServers, besides, advertiseAddress } = options;
    const folder = await mkdtemp(join(tmpdir(), 'proa-e2e-'));
    const cluster = new ProaProcess(folder, await freePort());
    const config = {
      dataDir: cluster.dataDir,
      port: cluster.port,
      nodes,
      simulatedNodes,
      podCidr: `10.${network}.0.0/16`,
      serviceCidr: `10.${network + 1}.0.0/16`,
      ...(etcdServers === undefined ? {} : { etcd: { servers: etcdServers } }),
      ...(advertiseAddress === undefined ? {} : { advertiseAddress, bindAddress: '127.0.0.1' }),
    };
    if (besides !== undefined)
      await cp(join(besides.dataDir, 'pki'), join(cluster.dataDir, 'pki'), { recursive: true });
    await writeFile(join(folder, 'proa.yaml'), JSON.stringify(config));
    await cluster.start();
    return cluster;
  }

  get dataDir(): string {
    return join(this.folder, 'data');
  }

  get kubeconfig(): string {
    return join(this.folder, 'kubeconfig');
  }

  get serverUrl(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  /** Starts the process again in the same folder, and waits until it is ready. */
  async start(): Promise<void> {
    const args = ['up', '--config', join(this.folder, 'proa.yaml'), '--kubeconfig', this.kubeconfig];
    const child = spawn(process.execPath, [join(root, 'src/cmd/proa.ts'), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#said = '';
    const ready = Promise.withResolvers<void>();
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        this.#said += chunk.toString();
        if (this.#said.includes('is ready at')) ready.resolve();
      });
    const limit = setTimeout(() => ready.reject(new Error(`not ready in time: ${this.#said}`)), readyLimitMs);
    child.once('exit', (code) => ready.reject(new Error(`ended with ${code}: ${this.#said}`)));
    try {
      await ready.promise;
    } finally {
      clearTimeout(limit);
    }
  }

  /** Everything that the process has written. */
  get said(): string {
    return this.#said;
  }

  /** The process ends without a chance to put anything in order. */
  async crash(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }

  /** The server's own health, asked without credentials and without kubectl. */
  isReady(): Promise<boolean> {
    return new Promise((resolve) => {
      const request = get(`${this.serverUrl}/readyz`, { rejectUnauthorized: false, timeout: 5_000 }, (answer) => {
        answer.resume();
        resolve(answer.statusCode === 200);
      });
      request.on('error', () => resolve(false));
    });
  }

  kubectl(args: readonly string[], options: Parameters<typeof run>[2] = {}): Promise<Outcome> {
    return run('kubectl', args, { ...options, env: this.environment });
  }

  /** What kubectl printed. @throws Error when it failed. */
  async ask(...args: readonly string[]): Promise<string> {
    return this.#successful(args, await this.kubectl(args));
  }

  async apply(manifest: string): Promise<string> {
    const args = ['apply', '-f', '-'];
    return this.#successful(args, await this.kubectl(args, { input: manifest }));
  }

  /** A kubectl that goes on until it is ended. */
  follow(args: readonly string[]): Following {
    const child = spawn('kubectl', args, { env: this.environment, stdio: ['ignore', 'pipe', 'pipe'] });
    return new Following(child, child.stdout);
  }

  #successful(args: readonly string[], { code, stdout, stderr }: Outcome): string {
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}${stdout}`);
    return stdout;
  }

  get environment(): NodeJS.ProcessEnv {
    return { ...process.env, KUBECONFIG: this.kubeconfig, HOME: this.folder };
  }

  /** Takes the cluster away, with all that it left on the machine. */
  async remove(): Promise<void> {
    const { code, stderr } = await proa(['reset', '--data-dir', this.dataDir], { env: this.environment });
    await this.#end('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
    if (code !== 0) throw new Error(`proa reset: ${stderr}`);
  }
}
