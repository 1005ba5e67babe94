import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Question } from './ask.ts';

export const run = promisify(execFile);

export async function ip(...args: readonly string[]): Promise<void> {
  await run('ip', args);
}

/** A process in a network namespace of its own that is joined to this one. */
export interface Neighbour {
  readonly name: string;
  readonly address: string;
  ask(question: Question): Promise<string>;
  /** Runs a program in its network and returns what it prints. */
  run(program: string, ...args: readonly string[]): Promise<string>;
  stop(): void;
}

/**
 * Starts a neighbour behind a veth pair, with the host as its router. Everything about it ends with its process.
 * @param options.network prefix length of its own network; 32 for a pod, which reaches all through the host.
 */
export async function startNeighbour(options: {
  readonly name: string;
  readonly address: string;
  readonly gateway: string;
}): Promise<Neighbour> {
  const { name, address, gateway } = options;
  const child = spawn('unshare', ['--net', process.execPath, join(import.meta.dirname, 'agent.ts'), name], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  await nextMessage(child, () => true);
  const runInside = async (...command: readonly string[]): Promise<string> =>
    (await run('nsenter', [`--net=/proc/${child.pid}/ns/net`, ...command])).stdout;
  const inside = (...args: readonly string[]) => runInside('ip', ...args);
  await ip('link', 'add', `h-${name}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(child.pid));
  await ip('address', 'add', `${gateway}/32`, 'dev', `h-${name}`);
  await ip('link', 'set', `h-${name}`, 'up');
  await ip('route', 'add', `${address}/32`, 'dev', `h-${name}`, 'src', gateway);
  await inside('link', 'set', 'lo', 'up');
  await inside('address', 'add', `${address}/32`, 'dev', 'eth0');
  await inside('link', 'set', 'eth0', 'up');
  await inside('route', 'add', `${gateway}/32`, 'dev', 'eth0', 'scope', 'link');
  await inside('route', 'add', 'default', 'via', gateway);
  let questions = 0;
  return {
    name,
    address,
    async ask(question) {
      const id = ++questions;
      const answer = nextMessage(child, (message) => message.id === id);
      child.send({ ...question, id });
      return (await answer).answer ?? '';
    },
    run: runInside,
    stop: () => child.kill(),
  };
}

interface AgentMessage {
  readonly id?: number;
  readonly answer?: string;
}

function nextMessage(child: ChildProcess, wanted: (message: AgentMessage) => boolean): Promise<AgentMessage> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: unknown): void => {
      if (!wanted(message as AgentMessage)) return;
      child.off('message', onMessage).off('exit', onExit);
      resolve(message as AgentMessage);
    };
    const onExit = () => reject(new Error('the neighbour has ended'));
    child.on('message', onMessage).on('exit', onExit);
  });
}
