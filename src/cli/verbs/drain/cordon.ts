import type { JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../../context.ts';
import { CliError, UsageError } from '../../failures.ts';
import { textFlag } from '../../flags.ts';
import { type DryRun, dryRunFlags, dryRunOf, dryRunSuffix } from '../../manifests/dry-run.ts';
import { valueAt } from '../../manifests/objects.ts';
import { patchTarget } from '../../manifests/patches.ts';
import { type LoadedTarget, loadTargets, type Selection, visitTargets } from '../../manifests/targets.ts';
import { defineVerb, type Verb } from '../../verb.ts';

export async function loadNodes(
  context: CommandContext,
  args: readonly string[],
  selector: string | undefined,
): Promise<Selection<LoadedTarget>> {
  const isSelected = (selector ?? '') !== '';
  if (args.length > 0 && isSelected)
    throw new UsageError('error: cannot specify both a node name and a --selector option');
  if (args.length === 0 && !isSelected)
    throw new UsageError(`USAGE: ${context.commandPath.split(' ').at(-1)} NODE [flags]`);
  return loadTargets(context, isSelected ? { args: ['nodes'], selector } : { args: [...args], defaultType: 'nodes' });
}

/** Sets whether pods may come to the node, and says what became of it. */
export async function setUnschedulable(
  context: CommandContext,
  node: LoadedTarget,
  wanted: boolean,
  dryRun: DryRun,
): Promise<void> {
  const done = wanted ? 'cordoned' : 'uncordoned';
  const isAlready = (valueAt(node.object, 'spec', 'unschedulable') === true) === wanted;
  const body: JsonObject = { spec: { unschedulable: wanted ? true : null } };
  if (!isAlready && dryRun !== 'client') await patchTarget(context, node, { type: 'strategic', body, dryRun });
  context.out(`node/${node.name} ${isAlready ? 'already ' : ''}${done}${dryRunSuffix(dryRun)}\n`);
}

const cordonVerb = (name: string, summary: string, wanted: boolean): Verb =>
  defineVerb({
    name,
    summary,
    usage: 'NODE',
    flags: { ...dryRunFlags, selector: textFlag('Selector (label query) to filter on.', { short: 'l' }) },
    async run(context, flags, args) {
      const dryRun = dryRunOf(context, flags);
      await visitTargets(await loadNodes(context, args, flags.selector), async (node) => {
        if (node.info.kind !== 'Node') throw new CliError(`${node.info.resource} cannot be ${name}ed`);
        await setUnschedulable(context, node, wanted, dryRun);
      });
      return 0;
    },
  });

export const cordon = cordonVerb('cordon', 'Mark node as unschedulable', true);
export const uncordon = cordonVerb('uncordon', 'Mark node as schedulable', false);
