import type { CommandStreams } from '#streaming/remote-command/protocol.ts';
import type { CommandContext } from '../context.ts';
import { CliError, ExitError } from '../failures.ts';
import { driveSession, openSession, type SessionRequest } from './session.ts';

/** Runs a session to its end; resolves with 0, or ends the program with the command's own code. */
export async function runSession(context: CommandContext, request: SessionRequest): Promise<number> {
  const exit = await driveSession(context, await openSession(context, request), request.streams);
  if (exit.outcome === 'failed') throw new CliError(exit.message);
  if (exit.code === 0) return 0;
  throw new ExitError(exit.code, `command terminated with exit code ${exit.code}`);
}

/** What the flags `-i` and `-t` come to with this terminal. */
export function streamsOf(
  context: CommandContext,
  { stdin, tty, quiet = false }: { readonly stdin: boolean; readonly tty: boolean; readonly quiet?: boolean },
): CommandStreams {
  const isTerminal = context.io.stdin.isTTY === true;
  if (tty && !isTerminal && !quiet) {
    context.err('Unable to use a TTY - input is not a terminal or the right kind of file\n');
  }
  const usesTty = tty && stdin && isTerminal;
  return { stdin, stdout: true, stderr: !usesTty, tty: usesTty };
}

/** Says once that somebody who sees nothing is not forgotten. */
export function announceAttach(context: CommandContext, { stdin }: CommandStreams, quiet: boolean): void {
  if (!stdin || quiet) return;
  context.err(
    'All commands and output from this session will be recorded in container logs, including credentials and sensitive information passed through the command prompt.\n',
  );
  context.err("If you don't see a command prompt, try pressing enter.\n");
}
