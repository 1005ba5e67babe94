import { equalValues } from '#machinery/equality.ts';
import type { JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../../context.ts';
import type { FlagValues } from '../../flags.ts';
import { dryRunOf } from '../../manifests/dry-run.ts';
import { chosenTargets, modifyFlags, modifyTargets } from '../../manifests/modify.ts';
import { hasFiles, type LoadedTarget } from '../../manifests/targets.ts';

export const setFlags = modifyFlags('kubectl-set');
export type SetFlags = FlagValues<typeof setFlags>;

export interface SetRequest {
  readonly flags: SetFlags;
  readonly resources: readonly string[];
  readonly operation: string;
  readonly change: (target: LoadedTarget) => JsonObject | Promise<JsonObject>;
}

/** Changes the chosen objects; those that stay as they are go unmentioned. */
export async function setOnTargets(context: CommandContext, request: SetRequest): Promise<number> {
  const { flags, resources, operation, change } = request;
  const options = { args: resources, files: flags, selector: flags.selector, all: flags.all };
  const { targets, problems } = await chosenTargets(context, options, { local: flags.local && hasFiles(flags) });
  const changed: (readonly [LoadedTarget, JsonObject])[] = [];
  const failures = [...problems];
  for (const target of targets) {
    try {
      const after = await change(target);
      if (flags.local || (flags.output ?? '') !== '' || !equalValues(after, target.object))
        changed.push([target, after]);
    } catch (error) {
      failures.push(error);
    }
  }
  const results = new Map(changed);
  await modifyTargets(
    context,
    { targets: changed.map(([target]) => target), problems: failures },
    {
      flags,
      dryRun: dryRunOf(context, flags),
      fieldManager: flags['field-manager'],
      operation,
      isTyped: true,
      change: (object, target) => results.get(target) ?? object,
    },
  );
  return 0;
}

/** Splits `RESOURCE… KEY=VALUE…`. */
export function splitAtPairs(
  args: readonly string[],
  isPair: (arg: string) => boolean,
): { readonly resources: readonly string[]; readonly pairs: readonly string[] } {
  return { resources: args.filter((arg) => !isPair(arg)), pairs: args.filter(isPair) };
}
