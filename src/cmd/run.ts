import { parseArgs, styleText } from 'node:util';
import { systemClock } from '#base/clock.ts';
import type { Command, Values } from './commands/command.ts';
import { UserError } from './data-folder.ts';
import { growHeapLater } from './heap.ts';

/** One command with its flags. Resolves to the exit code. @throws UserError for flags that it does not have */
export async function runCommand(command: Command, args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(command.help);
    return 0;
  }
  const { values, positionals } = parsed(command, args);
  checkArguments(command, values, positionals);
  return command.run(values, positionals);
}

/** Flags that say where something is: an empty one comes from a variable that is not set. */
const places = ['config', 'data-dir', 'kubeconfig'];

function checkArguments({ name, mostArguments = 0 }: Command, values: Values, given: readonly string[]): void {
  const empty = places.find((flag) => values[flag] === '');
  if (empty !== undefined) throw new UserError(`--${empty} is empty: say where, or leave it out`);
  const odd = given[mostArguments];
  if (odd !== undefined) throw new UserError(`unexpected argument "${odd}"; "proa ${name} --help" tells what it takes`);
}

function parsed(command: Command, args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: command.options, allowPositionals: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message.split(/\.\s/)[0] : String(error);
    throw new UserError(`${reason}; "proa ${command.name} --help" lists the flags`);
  }
}

/** What the process is there for: its exit code, or one line that says why it failed. */
export async function untilEnd(work: () => Promise<number>): Promise<void> {
  // A reader that has seen enough (`proa … | head`) is no failure; a cluster goes on without one.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (process.argv[2] !== 'up') process.exit(0);
  });
  growHeapLater(systemClock());
  try {
    process.exitCode = await work();
  } catch (error) {
    const prefix = process.stderr.isTTY ? styleText('red', 'error:') : 'error:';
    const message =
      error instanceof UserError || process.env['PROA_DEBUG'] === undefined
        ? (error as Error).message
        : ((error as Error).stack ?? String(error));
    process.stderr.write(`${prefix} ${message}\n`);
    process.exitCode = 1;
  }
}
