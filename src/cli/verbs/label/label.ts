import type { JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../../context.ts';
import { CliError } from '../../failures.ts';
import { booleanFlag, type FlagValues, textFlag } from '../../flags.ts';
import { dryRunOf } from '../../manifests/dry-run.ts';
import { chosenTargets, modifyFlags, modifyTargets } from '../../manifests/modify.ts';
import { goJson, metadataOf, withMetadata } from '../../manifests/objects.ts';
import { alreadySet, changePairs, type PairChanges, splitPairs } from '../../manifests/pairs.ts';
import { namedResources, requireResources, selectionOf } from '../../manifests/targets.ts';
import { defineVerb } from '../../verb.ts';

const flags = {
  ...modifyFlags('kubectl-label'),
  'all-namespaces': booleanFlag('If true, check the specified action in all namespaces.', { short: 'A' }),
  'field-selector': textFlag('Selector (field query) to filter on.'),
  list: booleanFlag('If true, display the labels for a given resource.'),
  overwrite: booleanFlag(
    'If true, allow labels to be overwritten, otherwise reject label updates that overwrite existing labels.',
  ),
  'resource-version': textFlag(
    'If non-empty, the labels update will only succeed if this is the current resource-version for the object.',
  ),
} as const;

type LabelFlags = FlagValues<typeof flags>;

export const label = defineVerb({
  name: 'label',
  summary: 'Update the labels on a resource',
  usage: '[--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]',
  examples: `
# Set a label, even if it has another value
kubectl label --overwrite pods web-0 tier=front

# Take a label away
kubectl label pods web-0 tier-`,
  flags,
  run: runLabel,
});

async function runLabel(context: CommandContext, values: LabelFlags, args: readonly string[]): Promise<number> {
  const { resources, changes } = splitPairs(args, 'label');
  requireResources(resources, values, namedResources);
  const isEmpty = changes.set.size === 0 && changes.remove.length === 0;
  if (isEmpty && !values.list) throw new CliError('at least one label update is required');
  const selection = await chosenTargets(context, selectionOf(resources, values), values);
  if (isEmpty) {
    const many = selection.targets.length > 1;
    for (const { info, name, object } of selection.targets) {
      if (many) context.out(`Listing labels for ${info.kind}.${info.group}/${name}:\n`);
      const pairs = Object.entries(metadataOf(object).labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
      for (const [key, value] of pairs) context.out(`${many ? ' ' : ''}${key}=${value}\n`);
    }
    return 0;
  }
  await modifyTargets(context, selection, {
    flags: values,
    dryRun: dryRunOf(context, values),
    fieldManager: values['field-manager'],
    change: (object) => relabelled(context, object, changes, values),
    operation: (before, after) => operationOf(before, after, values.overwrite),
  });
  return 0;
}

function relabelled(context: CommandContext, object: JsonObject, changes: PairChanges, flags: LabelFlags): JsonObject {
  const { labels } = metadataOf(object);
  const [taken] = flags.overwrite ? [] : alreadySet(labels, changes);
  if (taken !== undefined) throw new CliError(`${taken}, and --overwrite is false`);
  for (const key of changes.remove) {
    if (labels?.[key] === undefined) context.out(`label ${JSON.stringify(key)} not found.\n`);
  }
  const version = flags['resource-version'];
  const after = changePairs(labels, changes);
  return withMetadata(object, { labels: after, ...(version === undefined ? {} : { resourceVersion: version }) });
}

function operationOf(before: JsonObject, after: JsonObject, overwrite: boolean): string {
  const [old, now] = [goJson(before), goJson(after)];
  if (old === now) return 'not labeled';
  return !overwrite && now.length < old.length ? 'unlabeled' : 'labeled';
}
