import { equalValues } from '#machinery/equality.ts';
import { dumpYaml } from '#machinery/yaml.ts';
import { CliError } from '../../failures.ts';
import { booleanFlag, textFlag, textFlagWith } from '../../flags.ts';
import { dryRunFlags, dryRunOf, dryRunSuffix } from '../../manifests/dry-run.ts';
import { lastApplied, lastAppliedAnnotation, lastAppliedText, withLastApplied } from '../../manifests/last-applied.ts';
import { metadataOf } from '../../manifests/objects.ts';
import { patchTarget } from '../../manifests/patches.ts';
import { loadIfPresent, loadTargets, manifestTargets, visitTargets } from '../../manifests/targets.ts';
import { printFlags, printJson, resultPrinter } from '../../output/printers.ts';
import { fileFlags } from '../../resources/files.ts';
import { defineVerb } from '../../verb.ts';

export const viewLastApplied = defineVerb({
  name: 'view-last-applied',
  summary: 'View the latest last-applied-configuration annotations of a resource/object',
  usage: '(TYPE [NAME | -l label] | TYPE/NAME | -f FILENAME)',
  flags: {
    ...fileFlags,
    all: booleanFlag('Select all resources in the namespace of the specified resource types'),
    output: textFlagWith('yaml', 'Output format. Must be one of (yaml, json)', { short: 'o' }),
    selector: textFlag('Selector (label query) to filter on.', { short: 'l' }),
  },
  async run(context, flags, args) {
    const { output } = flags;
    if (output !== 'yaml' && output !== 'json') {
      throw new CliError(`Unexpected -o output mode: ${output}, the flag 'output' must be one of yaml|json`);
    }
    const selection = await loadTargets(context, { args, files: flags, selector: flags.selector, all: flags.all });
    await visitTargets(selection, async ({ name, object }) => {
      const applied = lastApplied(object);
      if (applied === undefined)
        throw new CliError(`no last-applied-configuration annotation found on resource: ${name}`);
      context.out(output === 'json' ? `${printJson(applied).replaceAll('    ', '  ')}\n` : dumpYaml(applied));
    });
    return 0;
  },
});

export const setLastApplied = defineVerb({
  name: 'set-last-applied',
  summary: 'Set the last-applied-configuration annotation on a live object to match the contents of a file',
  usage: '-f FILENAME',
  flags: {
    ...fileFlags,
    ...printFlags,
    ...dryRunFlags,
    'create-annotation': booleanFlag(
      "Will create 'last-applied-configuration' annotations if current objects doesn't have one",
    ),
  },
  async run(context, flags) {
    const dryRun = dryRunOf(context, flags);
    const print = await resultPrinter(flags, 'configured', dryRunSuffix(dryRun));
    await visitTargets(await manifestTargets(context, flags), async (target) => {
      const live = await loadIfPresent(context, target);
      if (live === undefined)
        throw new CliError(`no last-applied-configuration annotation found on resource: ${target.name}`);
      if (lastAppliedText(live) === undefined && !flags['create-annotation']) {
        throw new CliError(
          `no last-applied-configuration annotation found on resource: ${target.name}, to create the annotation, run the command with --create-annotation`,
        );
      }
      const annotation = lastAppliedText(withLastApplied(target.object));
      const isSame = equalValues(metadataOf(live).annotations?.[lastAppliedAnnotation], annotation);
      const body = { metadata: { annotations: { [lastAppliedAnnotation]: annotation } } };
      const object =
        isSame || dryRun === 'client' ? live : await patchTarget(context, target, { type: 'merge', body, dryRun });
      context.out(print(object));
    });
    return 0;
  },
});
