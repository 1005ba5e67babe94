import { equalValues } from '#machinery/equality.ts';
import type { JsonObject } from '#machinery/meta.ts';
import { dumpYaml } from '#machinery/yaml.ts';
import type { CommandContext } from '../../context.ts';
import { CliError, UsageError } from '../../failures.ts';
import { booleanFlag, type FlagValues, textFlag, textFlagWith } from '../../flags.ts';
import { dryRunFlags, dryRunOf, dryRunSuffix } from '../../manifests/dry-run.ts';
import { annotationPatch, lastApplied } from '../../manifests/last-applied.ts';
import { type PatchRequest, patchTarget } from '../../manifests/patches.ts';
import { loadTargets, selectTargets, type Target, targetPath, throwProblems } from '../../manifests/targets.ts';
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
      throw new UsageError(`Unexpected -o output mode: ${output}, the flag 'output' must be one of yaml|json`);
    }
    const { targets, problems } = await loadTargets(context, {
      args,
      files: flags,
      selector: flags.selector,
      all: flags.all,
    });
    throwProblems(problems);
    for (const { object } of targets) {
      const applied = lastApplied(object);
      // Whatever was never applied has nothing to show, and is passed over.
      if (applied === undefined) continue;
      context.out(output === 'json' ? `${printJson(applied).replaceAll('    ', '  ')}\n` : dumpYaml(applied));
    }
    return 0;
  },
});

const setFlags = {
  filename: fileFlags.filename,
  ...printFlags,
  ...dryRunFlags,
  'create-annotation': booleanFlag(
    "Will create 'last-applied-configuration' annotations if current objects doesn't have one",
  ),
} as const;

export const setLastApplied = defineVerb({
  name: 'set-last-applied',
  summary: 'Set the last-applied-configuration annotation on a live object to match the contents of a file',
  usage: '-f FILENAME',
  flags: setFlags,
  async run(context, flags) {
    const dryRun = dryRunOf(context, flags);
    const print = await resultPrinter(flags, 'configured', dryRunSuffix(dryRun));
    for (const outdated of await outdatedTargets(context, flags)) {
      const patch: PatchRequest = { type: 'merge', body: annotationPatch(outdated.manifest), dryRun };
      const object = dryRun === 'client' ? outdated.live : await patchTarget(context, outdated.target, patch);
      context.out(print(object));
    }
    return 0;
  },
});

interface OutdatedTarget {
  readonly target: Target;
  readonly manifest: JsonObject;
  readonly live: JsonObject;
}

/** Live objects whose annotation is not their manifest. Throws for one that is not there before any is changed. */
async function outdatedTargets(
  context: CommandContext,
  flags: FlagValues<typeof setFlags>,
): Promise<readonly OutdatedTarget[]> {
  const files = { ...flags, recursive: false, kustomize: undefined };
  const { targets, problems } = await selectTargets(context, { args: [], files });
  throwProblems(problems);
  const outdated: OutdatedTarget[] = [];
  for (const target of targets) {
    const manifest = target.object ?? {};
    const live = await context.request({ path: targetPath(target) });
    const applied = lastApplied(live);
    if (applied === undefined && !flags['create-annotation']) {
      throw new CliError(
        `no last-applied-configuration annotation found on resource: ${target.name}, to create the annotation, run the command with --create-annotation`,
      );
    }
    if (applied !== undefined && equalValues(applied, manifest)) {
      context.out(`set-last-applied ${target.name}: no changes required.\n`);
    } else {
      outdated.push({ target, manifest, live });
    }
  }
  return outdated;
}
