import { CliError } from '../../failures.ts';
import { booleanFlag, textFlag } from '../../flags.ts';
import { dryRunOf } from '../../manifests/dry-run.ts';
import { chosenTargets, modifyFlags, modifyTargets } from '../../manifests/modify.ts';
import { metadataOf, withMetadata } from '../../manifests/objects.ts';
import { alreadySet, changePairs, splitPairs } from '../../manifests/pairs.ts';
import { namedResources, requireResources, selectionOf } from '../../manifests/targets.ts';
import { defineVerb } from '../../verb.ts';

export const annotate = defineVerb({
  name: 'annotate',
  summary: 'Update the annotations on a resource',
  usage: '[--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]',
  examples: `
# Set an annotation
kubectl annotate pods web-0 description='the front'

# Take it away
kubectl annotate pods web-0 description-`,
  flags: {
    ...modifyFlags('kubectl-annotate'),
    'all-namespaces': booleanFlag('If true, check the specified action in all namespaces.', { short: 'A' }),
    'field-selector': textFlag('Selector (field query) to filter on.'),
    list: booleanFlag('If true, display the annotations for a given resource.'),
    overwrite: booleanFlag(
      'If true, allow annotations to be overwritten, otherwise reject annotation updates that overwrite existing annotations.',
    ),
    'resource-version': textFlag(
      'If non-empty, the annotation update will only succeed if this is the current resource-version for the object.',
    ),
  },
  async run(context, flags, args) {
    const { resources, changes } = splitPairs(args, 'annotation');
    requireResources(resources, flags, namedResources);
    const isEmpty = changes.set.size === 0 && changes.remove.length === 0;
    if (isEmpty && !flags.list) throw new CliError('at least one annotation update is required');
    const selection = await chosenTargets(context, selectionOf(resources, flags), flags);
    if (isEmpty) {
      for (const { object } of selection.targets) {
        for (const [key, value] of Object.entries(metadataOf(object).annotations ?? {}).sort(([a], [b]) =>
          a < b ? -1 : 1,
        )) {
          context.out(`${key}=${value}\n`);
        }
      }
      return 0;
    }
    const version = flags['resource-version'];
    await modifyTargets(context, selection, {
      flags,
      dryRun: dryRunOf(context, flags),
      fieldManager: flags['field-manager'],
      operation: 'annotated',
      change(object) {
        const { annotations } = metadataOf(object);
        const taken = flags.overwrite ? [] : alreadySet(annotations, changes);
        if (taken.length > 0) {
          throw new CliError(
            `--overwrite is false but found the following declared annotation(s): ${taken.join('; ')}`,
          );
        }
        return withMetadata(object, {
          annotations: changePairs(annotations, changes),
          ...(version === undefined ? {} : { resourceVersion: version }),
        });
      },
    });
    return 0;
  },
});
