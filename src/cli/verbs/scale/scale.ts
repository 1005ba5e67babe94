import { sleep } from '#base/clock.ts';
import { ApiError } from '#machinery/errors.ts';
import { CliError } from '../../failures.ts';
import { booleanFlag, durationFlag, integerFlag, textFlag } from '../../flags.ts';
import { dryRunFlags, dryRunOf, dryRunSuffix } from '../../manifests/dry-run.ts';
import { valueAt, withValueAt } from '../../manifests/objects.ts';
import { patchTarget } from '../../manifests/patches.ts';
import { selectTargets, targetPath, visitTargets } from '../../manifests/targets.ts';
import { printFlags, resultPrinter } from '../../output/printers.ts';
import { fileFlags } from '../../resources/files.ts';
import { defineVerb } from '../../verb.ts';

const conflictPauseMs = 100;
const maximumConflicts = 5;

export const scale = defineVerb({
  name: 'scale',
  summary: 'Set a new size for a deployment, replica set, or replication controller',
  usage: '[--resource-version=version] [--current-replicas=count] --replicas=COUNT (-f FILENAME | TYPE NAME)',
  examples: `
# Three replicas
kubectl scale --replicas=3 deployment/web

# Three, if there are two now
kubectl scale --current-replicas=2 --replicas=3 deployment/web`,
  flags: {
    ...fileFlags,
    ...printFlags,
    ...dryRunFlags,
    all: booleanFlag('Select all resources in the namespace of the specified resource types'),
    'current-replicas': integerFlag(
      -1,
      'Precondition for current size. Requires that the current size of the resource match this value in order to scale. -1 (default) for no condition.',
    ),
    replicas: integerFlag(0, 'The new desired number of replicas. Required.'),
    'resource-version': textFlag(
      'Precondition for resource version. Requires that the current resource version match this value in order to scale.',
    ),
    selector: textFlag('Selector (label query) to filter on.', { short: 'l' }),
    timeout: durationFlag(
      0,
      "The length of time to wait before giving up on a scale operation, zero means don't wait.",
    ),
  },
  async run(context, flags, args) {
    if (!context.changed.has('replicas')) throw new CliError('required flag(s) "replicas" not set');
    const { replicas, selector, all, 'current-replicas': expected, 'resource-version': version } = flags;
    if (replicas < 0)
      throw new CliError('The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0');
    const dryRun = dryRunOf(context, flags);
    const print = await resultPrinter(flags, 'scaled', dryRunSuffix(dryRun));
    const selection = await selectTargets(context, { args, files: flags, selector, all });
    if (selection.targets.length === 0 && selection.problems.length === 0)
      throw new CliError('no objects passed to scale');
    await visitTargets(selection, async (target) => {
      for (let attempt = 0; dryRun !== 'client'; attempt++) {
        const current = await context.request({ path: targetPath(target, 'scale') });
        const size = Number(valueAt(current, 'spec', 'replicas') ?? 0);
        if (expected >= 0 && size !== expected) throw new CliError(`Expected replicas to be ${expected}, was ${size}`);
        const metadata = version === undefined ? {} : { metadata: { resourceVersion: version } };
        const body = { ...metadata, spec: { replicas } };
        try {
          await patchTarget(context, target, { type: 'merge', body, dryRun, subresource: 'scale' });
          break;
        } catch (error) {
          const isConflict = error instanceof ApiError && error.reason === 'Conflict' && version === undefined;
          if (!isConflict || attempt >= maximumConflicts) throw error;
          await sleep(context.clock, conflictPauseMs, context.signal);
        }
      }
      const object = await context.request({ path: targetPath(target) });
      context.out(print(dryRun === 'none' ? object : withValueAt(object, ['spec', 'replicas'], replicas)));
    });
    return 0;
  },
});
