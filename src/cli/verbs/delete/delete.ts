import { createInterface } from 'node:readline';
import type { JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../../context.ts';
import { objectLabel, type ResourceInfo } from '../../discovery/mapper.ts';
import { CliError } from '../../failures.ts';
import { booleanFlag, durationFlag, type FlagValues, integerFlag, textFlag, textFlagWith } from '../../flags.ts';
import { deleteTarget } from '../../manifests/deletion.ts';
import { type DryRun, dryRunFlags, dryRunOf, dryRunSuffix } from '../../manifests/dry-run.ts';
import { whileDoing } from '../../manifests/failures.ts';
import { metadataOf } from '../../manifests/objects.ts';
import { hasFiles, selectionOf, selectTargets, type Target, throwProblems } from '../../manifests/targets.ts';
import { untilObject, WaitTimeout } from '../../manifests/watch.ts';
import { isNotFound } from '../../resources/fetch.ts';
import { fileFlags } from '../../resources/files.ts';
import { defineVerb } from '../../verb.ts';

const flags = {
  ...fileFlags,
  ...dryRunFlags,
  all: booleanFlag('Delete all resources, in the namespace of the specified resource types.'),
  'all-namespaces': booleanFlag('If present, list the requested object(s) across all namespaces.', { short: 'A' }),
  cascade: textFlagWith(
    'background',
    'Must be "background", "orphan", or "foreground". Selects the deletion cascading strategy for the dependents.',
    { withoutValue: 'background' },
  ),
  'field-selector': textFlag('Selector (field query) to filter on.'),
  force: booleanFlag('If true, immediately remove resources from API and bypass graceful deletion.'),
  'grace-period': integerFlag(
    -1,
    'Period of time in seconds given to the resource to terminate gracefully. Ignored if negative. Set to 1 for immediate shutdown. Can only be set to 0 when --force is true.',
  ),
  'ignore-not-found': booleanFlag('Treat "resource not found" as a successful delete.'),
  interactive: booleanFlag('If true, delete resource only when user confirms.', { short: 'i' }),
  now: booleanFlag('If true, resources are signaled for immediate shutdown (same as --grace-period=1).'),
  output: textFlag('Output mode. Use "-o name" for shorter output (resource/name).', { short: 'o' }),
  raw: textFlag('Raw URI to DELETE to the server.'),
  selector: textFlag('Selector (label query) to filter on.', { short: 'l' }),
  timeout: durationFlag(
    0,
    'The length of time to wait before giving up on a delete, zero means determine a timeout from the size of the object',
  ),
  wait: booleanFlag('If true, wait for resources to be gone before returning. This waits for finalizers.', {
    initial: true,
  }),
} as const;

type DeleteFlags = FlagValues<typeof flags>;

/** Without `--timeout`, nobody waits longer than this. */
const defaultTimeoutMs = 7 * 24 * 3600 * 1000;

const forceWarning =
  'Immediate deletion does not wait for confirmation that the running resource has been terminated. The resource may continue to run on the cluster indefinitely.';

export const deleteVerb = defineVerb({
  name: 'delete',
  summary: 'Delete resources by file names, stdin, resources and names, or by resources and label selector',
  usage: '([-f FILENAME] | [-k DIRECTORY] | TYPE [(NAME | -l label | --all)])',
  examples: `
# Delete what a file describes
kubectl delete -f web.yaml

# Delete pods and services by label
kubectl delete pods,services -l app=web

# Take a pod away from a node that no longer answers
kubectl delete pod web-0 --force`,
  flags,
  run: runDelete,
});

interface Plan {
  readonly dryRun: DryRun;
  readonly gracePeriodSeconds: number;
  readonly waits: boolean;
}

async function runDelete(context: CommandContext, values: DeleteFlags, args: readonly string[]): Promise<number> {
  if (values.raw !== undefined) {
    const answer = await context.request({ method: 'DELETE', path: values.raw });
    context.out(`${JSON.stringify(answer)}\n`);
    return 0;
  }
  const plan = planOf(context, values);
  const { targets, problems } = await selectTargets(context, selectionOf(args, values));
  if (values.force && plan.gracePeriodSeconds === 0) context.err(`Warning: ${forceWarning}\n`);
  if (context.namespaceIsExplicit && targets.some(({ info }) => !info.namespaced)) {
    context.err('Warning: deleting cluster-scoped resources, not scoped to the provided namespace\n');
  }
  if (values.interactive && targets.length > 0 && !(await confirm(context, targets))) return 0;
  const failures = [...problems];
  const deleted: { readonly target: Target; readonly uid: string | undefined }[] = [];
  const isLenient = values['ignore-not-found'] || (values.all && !hasFiles(values));
  for (const target of targets) {
    try {
      deleted.push({ target, uid: await deleteOne(context, target, values, plan) });
    } catch (error) {
      if (!(isLenient && isNotFound(error))) failures.push(whileDoing('deleting', target.source, error));
    }
  }
  throwProblems(failures);
  if (deleted.length === 0) {
    if (targets.length === 0) context.out('No resources found\n');
    return 0;
  }
  if (plan.waits) for (const { target, uid } of deleted) await waitUntilGone(context, target, uid, values.timeout);
  return 0;
}

function planOf(context: CommandContext, flags: DeleteFlags): Plan {
  const { now, force, output = '', interactive } = flags;
  const dryRun = dryRunOf(context, flags);
  if (output !== '' && output !== 'name') {
    throw new CliError(`unexpected -o output mode: ${output}. We only support '-o name'`);
  }
  if (interactive && dryRun !== 'none') throw new CliError('--interactive can not be used with --dry-run');
  if (flags.all && (flags['field-selector'] ?? '') !== '') {
    throw new CliError('cannot set --all and --field-selector at the same time');
  }
  let gracePeriodSeconds = flags['grace-period'];
  if (now && gracePeriodSeconds !== -1) throw new CliError('--now and --grace-period cannot be specified together');
  if (now) gracePeriodSeconds = 1;
  let waits = flags.wait;
  if (gracePeriodSeconds === 0 && !force) {
    // Somebody who names zero gets what is safe: a second, and to wait for it.
    waits = true;
    gracePeriodSeconds = 1;
  } else if (force && gracePeriodSeconds < 0) gracePeriodSeconds = 0;
  if (force && !context.changed.has('wait')) waits = false;
  return { dryRun, gracePeriodSeconds, waits: waits && dryRun === 'none' };
}

/** Deletes and says so; resolves with the uid of what was deleted. */
async function deleteOne(
  context: CommandContext,
  target: Target,
  { cascade, output, force }: DeleteFlags,
  { dryRun, gracePeriodSeconds }: Plan,
): Promise<string | undefined> {
  let answer: JsonObject = {};
  if (dryRun !== 'client') {
    const grace = target.info.resource === 'nodes' ? -1 : gracePeriodSeconds;
    answer = await deleteTarget(context, target, { cascade, gracePeriodSeconds: grace, dryRun });
  }
  if (output === 'name') context.out(`${objectLabel(target.info, target.name)}\n`);
  else context.out(`${sentence(target, force && gracePeriodSeconds === 0)}${dryRunSuffix(dryRun)}\n`);
  return uidOf(answer);
}

function sentence({ info, name, namespace }: Target, isForced: boolean): string {
  const from = namespace === undefined ? '' : ` from ${namespace} namespace`;
  return `${singular(info)} "${name}" ${isForced ? 'force deleted' : 'deleted'}${from}`;
}

const singular = ({ group, kind }: ResourceInfo): string => `${kind.toLowerCase()}${group === '' ? '' : `.${group}`}`;

/** From the object that is on its way out, or from the Status that says it is gone. */
function uidOf(answer: JsonObject): string | undefined {
  const details = answer['details'] as { readonly uid?: string } | undefined;
  return answer['kind'] === 'Status' ? details?.uid : metadataOf(answer).uid;
}

async function waitUntilGone(
  context: CommandContext,
  target: Target,
  uid: string | undefined,
  timeoutMs: number,
): Promise<void> {
  if (!target.info.verbs.includes('watch') || !target.info.verbs.includes('list')) return;
  try {
    await untilObject(
      context,
      target,
      (object) => {
        const isOther = object !== undefined && uid !== undefined && metadataOf(object).uid !== uid;
        return object === undefined || isOther ? true : undefined;
      },
      { timeoutMs: timeoutMs === 0 ? defaultTimeoutMs : timeoutMs },
    );
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
    throw new CliError(`timed out waiting for the condition on ${target.info.resource}/${target.name}`);
  }
}

async function confirm(context: CommandContext, targets: readonly Target[]): Promise<boolean> {
  context.out('You are about to delete the following:\n');
  for (const { info, name } of targets) context.out(`${objectLabel(info, name)}\n`);
  context.out('Do you want to continue? (y/N): ');
  const reader = createInterface({ input: context.io.stdin });
  try {
    for await (const line of reader) {
      if (/^(y|yes)$/i.test(line.trim())) return true;
      break;
    }
  } finally {
    reader.close();
  }
  context.out('deletion is cancelled\n');
  return false;
}
