import type { CommandContext } from '../context.ts';
import { CliError } from '../failures.ts';
import { type FlagValues, textFlagWith } from '../flags.ts';

export const dryRunFlags = {
  'dry-run': textFlagWith(
    'none',
    'Must be "none", "server", or "client". If client strategy, only print the object that would be sent, without sending it. If server strategy, submit server-side request without persisting the resource.',
    { withoutValue: 'unchanged' },
  ),
} as const;

export type DryRun = 'none' | 'client' | 'server';

/** Throws CliError for anything that is no strategy. */
export function dryRunOf(context: CommandContext, flags: FlagValues<typeof dryRunFlags>): DryRun {
  const value = flags['dry-run'];
  switch (value) {
    case 'none':
    case 'client':
    case 'server':
      return value;
    case 'unchanged':
      context.err('W --dry-run is deprecated and can be replaced with --dry-run=client.\n');
      return 'client';
    default:
      throw new CliError(`Invalid dry-run value (${value}). Must be "none", "server", or "client".`);
  }
}

/** What stands behind the operation in a result. */
export function dryRunSuffix(dryRun: DryRun): string {
  return dryRun === 'none' ? '' : dryRun === 'client' ? ' (dry run)' : ' (server dry run)';
}

/** The query parameter. */
export const dryRunQuery = (dryRun: DryRun): string | undefined => (dryRun === 'server' ? 'All' : undefined);
