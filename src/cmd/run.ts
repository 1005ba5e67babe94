import { parseArgs, styleText } from 'node:util';
import { systemClock } from '#base/clock.ts';
import type { Command } from './commands/command.ts';
import { UserError } from './data-folder.ts';
import { growHeapLater } from './heap.ts';

/** One command with its flags. Resolves to the exit code. @throws UserError for flags that it does not have */
export async function runCommand(command: Command, args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(command.help);
    return 0;
  }
  const { values, positionals } = parsed(command, args);
  return command.run(values, positionals);
}

function parsed(command: Command, args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: command.options, allowPositionals: true });
  } catch (error) {
    throw new UserError(
      `${error instanceof Error ? error.message.split('. ')[0] : String(error)}; "proa ${command.name} --help" lists the flags`,
    );
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
