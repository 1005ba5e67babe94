import { basename } from 'node:path';
import type { Command } from './commands/command.ts';
import { UserError } from './data-folder.ts';
import { runCommand, untilEnd } from './run.ts';

/** How a command is loaded: with flags of ours, or one that reads its arguments by itself. */
interface Entry {
  readonly summary: string;
  readonly load: () => Promise<Command | ((args: readonly string[]) => Promise<number>)>;
}

/** Each command is loaded when it is called: `proa up` must not wait for what `proa image` needs. */
const commands: Readonly<Record<string, Entry>> = {
  up: { summary: 'Start a cluster on this machine', load: async () => (await import('./commands/up/command.ts')).up },
  down: {
    summary: 'Stop the cluster and its containers; keep its state',
    load: async () => (await import('./commands/down/command.ts')).down,
  },
  status: {
    summary: 'Say whether the cluster is running and how it is',
    load: async () => (await import('./commands/status/command.ts')).status,
  },
  reset: {
    summary: 'Remove the cluster, its state and its traces',
    load: async () => (await import('./commands/reset/command.ts')).reset,
  },
  backup: {
    summary: 'Write the state and keys of the cluster to a file',
    load: async () => (await import('./commands/backup/command.ts')).backup,
  },
  restore: {
    summary: 'Bring the cluster back from such a file',
    load: async () => (await import('./commands/restore/command.ts')).restore,
  },
  kubeconfig: {
    summary: 'Print a kubeconfig of the cluster',
    load: async () => (await import('./commands/kubeconfig/command.ts')).kubeconfig,
  },
  image: {
    summary: 'Load images from archives, list what the node has',
    load: async () => (await import('./commands/image/command.ts')).image,
  },
  kubectl: {
    summary: 'kubectl, also when the program is called by that name',
    load: async () => (await import('./commands/kubectl/command.ts')).kubectl,
  },
  envtest: {
    summary: 'Print the folder for KUBEBUILDER_ASSETS',
    load: async () => (await import('./commands/envtest/command.ts')).envtest,
  },
  'kube-apiserver': {
    summary: "The API server alone, with kube-apiserver's flags",
    load: async () => (await import('./commands/kube-apiserver/command.ts')).kubeApiServer,
  },
  etcd: {
    summary: 'Stands where etcd stood for programs that start one',
    load: async () => (await import('./commands/etcd/command.ts')).etcd,
  },
  version: {
    summary: 'Say which version this is',
    load: async () => (await import('./commands/version/command.ts')).version,
  },
  completion: {
    summary: 'Print a script for shell completion',
    load: async () => (await import('./commands/completion/command.ts')).completion,
  },
};

function overview(): string {
  const names = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(16)}${summary}`);
  return [
    'Kubernetes v1.36, whole, in TypeScript.',
    '',
    'Usage: proa COMMAND [flags]',
    '',
    ...names,
    '',
    'proa COMMAND --help tells more.',
    '',
  ].join('\n');
}

async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === 'help' && rest[0] !== undefined) return main([rest[0], '--help']);
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(overview());
    return name === undefined ? 1 : 0;
  }
  if (name === '--version' || name === '-v') return main(['version']);
  if (name === '__complete') return (await import('./commands/completion/complete.ts')).complete(commands, rest);
  const known = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (known === undefined) throw new UserError(`unknown command "${name}"; "proa --help" lists them`);
  const command = await known.load();
  return typeof command === 'function' ? command(rest) : runCommand(command, rest);
}

/** Called `kubectl`, through a link, it is kubectl. */
const calledKubectl = [process.argv[1] ?? '', process.argv0].some((path) => basename(path) === 'kubectl');

await untilEnd(() => main([...(calledKubectl ? ['kubectl'] : []), ...process.argv.slice(2)]));
