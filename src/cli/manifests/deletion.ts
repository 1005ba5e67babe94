import type { JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../context.ts';
import { CliError } from '../failures.ts';
import type { DryRun } from './dry-run.ts';
import { type Target, targetPath } from './targets.ts';

export interface DeletionOptions {
  /** `background`, `foreground` or `orphan`; absent: what the kind prefers. */
  readonly cascade?: string | undefined;
  /** Negative: what the object says. */
  readonly gracePeriodSeconds?: number | undefined;
  readonly dryRun?: DryRun | undefined;
}

/** Asks the server to delete. Resolves with the object, or with a Status when it is gone. Throws ApiError. */
export function deleteTarget(
  context: CommandContext,
  target: Target,
  options: DeletionOptions = {},
): Promise<JsonObject> {
  const { cascade, gracePeriodSeconds = -1, dryRun = 'none' } = options;
  return context.request({
    method: 'DELETE',
    path: targetPath(target),
    body: {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      ...(cascade === undefined ? {} : { propagationPolicy: propagationOf(cascade) }),
      ...(gracePeriodSeconds < 0 ? {} : { gracePeriodSeconds }),
      ...(dryRun === 'server' ? { dryRun: ['All'] } : {}),
    },
  });
}

function propagationOf(cascade: string): 'Background' | 'Foreground' | 'Orphan' {
  switch (cascade) {
    case 'background':
    case 'true':
      return 'Background';
    case 'foreground':
      return 'Foreground';
    case 'orphan':
    case 'false':
      return 'Orphan';
    default:
      throw new CliError(`invalid cascade value (${cascade}). Must be "background", "foreground", or "orphan"`);
  }
}
