import type { JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../../context.ts';
import { CliError } from '../../failures.ts';
import { booleanFlag, durationFlag, type FlagValues, integerFlag, textFlag, textFlagWith } from '../../flags.ts';
import { deleteTarget } from '../../manifests/deletion.ts';
import { type DryRun, dryRunFlags, dryRunOf, dryRunQuery, dryRunSuffix } from '../../manifests/dry-run.ts';
import { whileDoing } from '../../manifests/failures.ts';
import { lastAppliedText, withLastApplied } from '../../manifests/last-applied.ts';
import { metadataOf, withKind, withMetadata } from '../../manifests/objects.ts';
import { createObject } from '../../manifests/patches.ts';
import {
  hasFiles,
  type LoadedTarget,
  loadIfPresent,
  manifestTargets,
  targetPath,
  visitTargets,
} from '../../manifests/targets.ts';
import { fieldValidationOf, validateFlags } from '../../manifests/validation.ts';
import { untilObject, WaitTimeout } from '../../manifests/watch.ts';
import { printFlags, resultPrinter } from '../../output/printers.ts';
import { isNotFound } from '../../resources/fetch.ts';
import { fileFlags } from '../../resources/files.ts';
import { defineVerb } from '../../verb.ts';

const flags = {
  ...fileFlags,
  ...printFlags,
  ...dryRunFlags,
  ...validateFlags,
  cascade: textFlagWith(
    'background',
    'Must be "background", "orphan", or "foreground". How dependents go with --force.',
  ),
  'field-manager': textFlagWith('kubectl-replace', 'Name of the manager used to track field ownership.'),
  force: booleanFlag('If true, immediately remove resources from API and bypass graceful deletion.'),
  'grace-period': integerFlag(-1, 'Period of time in seconds given to the resource to terminate gracefully.'),
  raw: textFlag('Raw URI to PUT to the server.'),
  'save-config': booleanFlag('If true, the configuration of current object will be saved in its annotation.'),
  subresource: textFlag('If specified, replace will operate on the subresource of the requested object.'),
  timeout: durationFlag(
    0,
    'The length of time to wait before giving up on a delete, zero means determine a timeout from the size of the object',
  ),
  wait: booleanFlag('If true, wait for resources to be gone before returning. This waits for finalizers.'),
} as const;

type ReplaceFlags = FlagValues<typeof flags>;

/** How long `--force` waits for the old object when nobody says. */
const forceTimeoutMs = 5 * 60_000;

export const replace = defineVerb({
  name: 'replace',
  summary: 'Replace a resource by file name or stdin',
  usage: '-f FILENAME',
  examples: `
# Put what the file says in the object's place
kubectl replace -f web.yaml

# Delete it and make it anew
kubectl replace --force -f web.yaml`,
  flags,
  async run(context, values) {
    if (!hasFiles(values)) throw new CliError('must specify one of -f and -k');
    const dryRun = dryRunOf(context, values);
    const print = await resultPrinter(values, 'replaced', dryRunSuffix(dryRun));
    const selection = await manifestTargets(context, values);
    if (values.raw !== undefined) {
      const answer = await context.request({ method: 'PUT', path: values.raw, body: selection.targets[0]?.object });
      context.out(`${JSON.stringify(answer)}\n`);
      return 0;
    }
    if (selection.targets.length === 0 && selection.problems.length === 0)
      throw new CliError('no objects passed to replace');
    if (values.force) for (const target of selection.targets) await removeFirst(context, target, values);
    await visitTargets(selection, async (target) => {
      const result = values.force
        ? await createObject(context, target, {
            dryRun,
            fieldManager: values['field-manager'],
            fieldValidation: fieldValidationOf(values),
          })
        : await replaceOne(context, target, values, dryRun);
      context.out(print(withKind(result, target.info)));
    });
    return 0;
  },
});

async function removeFirst(context: CommandContext, target: LoadedTarget, flags: ReplaceFlags): Promise<void> {
  try {
    await deleteTarget(context, target, { cascade: flags.cascade, gracePeriodSeconds: flags['grace-period'] });
  } catch (error) {
    if (isNotFound(error)) return;
    throw error;
  }
  const { info, name, namespace } = target;
  const kind = `${info.kind.toLowerCase()}${info.group === '' ? '' : `.${info.group}`}`;
  context.out(`${kind} "${name}" deleted${namespace === undefined ? '' : ` from ${namespace} namespace`}\n`);
  try {
    const timeoutMs = flags.timeout === 0 ? forceTimeoutMs : flags.timeout;
    await untilObject(context, target, (object) => (object === undefined ? true : undefined), { timeoutMs });
  } catch (error) {
    if (error instanceof WaitTimeout) throw new CliError('timed out waiting for the condition');
    throw error;
  }
}

async function replaceOne(
  context: CommandContext,
  target: LoadedTarget,
  flags: ReplaceFlags,
  dryRun: DryRun,
): Promise<JsonObject> {
  try {
    const live = await loadIfPresent(context, target);
    const keeps = flags['save-config'] || lastAppliedText(target.object) !== undefined;
    const object = keeps ? withLastApplied(target.object) : target.object;
    if (dryRun === 'client') return object;
    const version = metadataOf(object).resourceVersion;
    return await context.request({
      method: 'PUT',
      path: targetPath(target, flags.subresource),
      query: {
        dryRun: dryRunQuery(dryRun),
        fieldManager: flags['field-manager'],
        fieldValidation: fieldValidationOf(flags),
      },
      // Kinds that want a version get the one they have; everything else is overwritten.
      body: withMetadata(object, {
        resourceVersion: version ?? (live === undefined ? undefined : metadataOf(live).resourceVersion),
      }),
    });
  } catch (error) {
    throw whileDoing('replacing', target.source, error);
  }
}
