import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import type { CliIo } from './context.ts';
import { CliError, ExitError } from './failures.ts';

/** Folders of PATH, each once, in its order. */
export const pathFolders = ({ env }: CliIo): readonly string[] =>
  [...new Set((env['PATH'] ?? '').split(delimiter))].filter((folder) => folder.trim() !== '');

export function isExecutable(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.isFile() === true && (stat.mode & 0o111) !== 0;
}

/**
 * Runs the plugin that the words of a command line name: `kubectl-foo-bar` for `foo bar`, the longest name first, with
 * the words behind it as arguments. Resolves with its exit code; undefined when there is none.
 * https://kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins/
 * @param least words that its name must take in
 */
export async function runPlugin(io: CliIo, args: readonly string[], least = 1): Promise<number | undefined> {
  const flag = args.findIndex((arg) => arg.startsWith('-'));
  const words = (flag < 0 ? args : args.slice(0, flag)).map((word) => word.replaceAll('-', '_'));
  if (words.length === 0) throw new ExitError(1, `Error: flags cannot be placed before plugin name: ${args[0]}`);
  for (let count = words.length; count >= least; count--) {
    const name = ['kubectl', ...words.slice(0, count)].join('-');
    const path = pathFolders(io)
      .map((folder) => join(folder, name))
      .find(isExecutable);
    if (path !== undefined) return runProgram(io, path, args.slice(count));
  }
  return undefined;
}

/** Gives the program the terminal, where there is one. */
function runProgram(io: CliIo, path: string, args: readonly string[]): Promise<number> {
  const { stdin, stdout, stderr } = io;
  const own = (stream: object): 'inherit' | 'pipe' => ('fd' in stream ? 'inherit' : 'pipe');
  const child = spawn(path, args, {
    stdio: [own(stdin), own(stdout), own(stderr)],
    env: io.env as NodeJS.ProcessEnv,
  });
  if (child.stdin !== null) stdin.pipe(child.stdin);
  child.stdout?.pipe(stdout, { end: false });
  child.stderr?.pipe(stderr, { end: false });
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new CliError(error.message)));
    child.once('close', (code, signal) => resolve(code ?? 128 + constants.signals[signal!]));
  });
}
