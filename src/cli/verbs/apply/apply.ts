import type { JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../../context.ts';
import { CliError } from '../../failures.ts';
import {
  arrayFlag,
  booleanFlag,
  durationFlag,
  type FlagValues,
  integerFlag,
  textFlag,
  textFlagWith,
} from '../../flags.ts';
import { type DryRun, dryRunFlags, dryRunOf, dryRunSuffix } from '../../manifests/dry-run.ts';
import { withKind } from '../../manifests/objects.ts';
import {
  hasFiles,
  type LoadedTarget,
  manifestTargets,
  selectedTargets,
  throwProblems,
} from '../../manifests/targets.ts';
import { fieldValidationOf, validateFlags } from '../../manifests/validation.ts';
import { labelOf, objectPrinter, printFlags } from '../../output/printers.ts';
import { fileFlags } from '../../resources/files.ts';
import { defineVerb, entryOf } from '../../verb.ts';
import { applyOnClient } from './client-side.ts';
import { editLastApplied } from './edit-last-applied.ts';
import { setLastApplied, viewLastApplied } from './last-applied.ts';
import { prune } from './prune.ts';
import { applyOnServer } from './server-side.ts';

const flags = {
  ...fileFlags,
  ...printFlags,
  ...dryRunFlags,
  ...validateFlags,
  all: booleanFlag('Select all resources in the namespace of the specified resource types.'),
  cascade: textFlagWith(
    'background',
    'Must be "background", "orphan", or "foreground". How dependents go when --force deletes.',
  ),
  'field-manager': textFlagWith('kubectl-client-side-apply', 'Name of the manager used to track field ownership.'),
  force: booleanFlag(
    'If true, immediately remove resources from API and bypass graceful deletion, where a patch is impossible.',
  ),
  'force-conflicts': booleanFlag('If true, server-side apply will force the changes against conflicts.'),
  'grace-period': integerFlag(-1, 'Period of time in seconds given to the resource to terminate gracefully.'),
  'openapi-patch': booleanFlag('Kept for scripts; patches always follow the published types.', { initial: true }),
  overwrite: booleanFlag(
    'Automatically resolve conflicts between the modified and live configuration by using values from the modified configuration',
    { initial: true },
  ),
  prune: booleanFlag(
    'Automatically delete resource objects that do not appear in the configs and are created by either apply or create --save-config.',
  ),
  'prune-allowlist': arrayFlag('Overwrite the default allowlist with <group/version/kind> for --prune'),
  selector: textFlag('Selector (label query) to filter on.', { short: 'l' }),
  'server-side': booleanFlag('If true, apply runs in the server instead of the client.'),
  subresource: textFlag(
    'If specified, apply will operate on the subresource of the requested object. Only allowed when using --server-side.',
  ),
  timeout: durationFlag(
    0,
    'The length of time to wait before giving up on a delete, zero means determine a timeout from the size of the object',
  ),
  wait: booleanFlag('If true, wait for resources to be gone before returning. This waits for finalizers.'),
} as const;

export type ApplyFlags = FlagValues<typeof flags>;

/** How the objects of one apply are treated. */
export interface ApplyOptions {
  readonly flags: ApplyFlags;
  readonly dryRun: DryRun;
  readonly fieldManager: string;
  readonly fieldValidation: string;
}

/** What became of one object. */
export interface Applied {
  readonly object: JsonObject;
  readonly operation: 'created' | 'configured' | 'unchanged' | 'serverside-applied';
}

export const apply = defineVerb({
  name: 'apply',
  summary: 'Apply a configuration to a resource by file name or stdin',
  about:
    'Makes the objects of manifests so, creating those that are not there. What the manifest applied last had and this one has not is taken away; everything else on the server stays.',
  usage: '(-f FILENAME | -k DIRECTORY)',
  examples: `
# Apply what a file says
kubectl apply -f web.yaml

# Apply what comes over standard input
cat web.yaml | kubectl apply -f -

# Let the server merge, and take fields from their other managers
kubectl apply --server-side --force-conflicts -f web.yaml`,
  flags,
  commands: [entryOf(viewLastApplied), entryOf(editLastApplied), entryOf(setLastApplied)],
  run: runApply,
});

async function runApply(context: CommandContext, values: ApplyFlags, args: readonly string[]): Promise<number> {
  if (args.length > 0) throw new CliError(`Unexpected args: [${args.join(' ')}]`);
  if (!hasFiles(values)) throw new CliError('must specify one of -f and -k');
  const options = optionsOf(context, values);
  const print = await objectPrinter(values);
  const { targets, problems } = await manifestTargets(context, values);
  const failures = [...problems];
  const chosen = selectedTargets(targets, values.selector);
  if (chosen.length === 0 && failures.length === 0) throw new CliError('no objects passed to apply');
  const applied: JsonObject[] = [];
  for (const target of chosen) {
    try {
      const { object, operation } = await applyOne(context, target, options);
      applied.push(withKind(object, target.info));
      if (print === undefined)
        context.out(`${labelOf(withKind(object, target.info))} ${operation}${dryRunSuffix(options.dryRun)}\n`);
    } catch (error) {
      failures.push(error);
    }
  }
  if (print !== undefined && applied.length > 0) context.out(print(listOf(applied)));
  throwProblems(failures);
  if (values.prune) await prune(context, applied, options);
  return 0;
}

function optionsOf(context: CommandContext, flags: ApplyFlags): ApplyOptions {
  const dryRun = dryRunOf(context, flags);
  const isServerSide = flags['server-side'];
  if (flags['force-conflicts'] && !isServerSide) throw new CliError('--force-conflicts only works with --server-side');
  if (flags.force && isServerSide) throw new CliError('--force cannot be used with --server-side');
  if (dryRun === 'client' && isServerSide) {
    throw new CliError("--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)");
  }
  if (dryRun === 'server' && flags.force) throw new CliError('--dry-run=server cannot be used with --force');
  if (flags.prune && (flags.selector ?? '') === '' && !flags.all) {
    throw new CliError(
      'all resources selected for prune without explicitly passing --all. To prune all resources, pass the --all flag. If you did not mean to prune all resources, specify a label selector',
    );
  }
  const isNamed = context.changed.has('field-manager');
  const fieldManager = isServerSide && !isNamed ? 'kubectl' : flags['field-manager'];
  return { flags, dryRun, fieldManager, fieldValidation: fieldValidationOf(flags) };
}

function applyOne(context: CommandContext, target: LoadedTarget, options: ApplyOptions): Promise<Applied> {
  return options.flags['server-side']
    ? applyOnServer(context, target, options)
    : applyOnClient(context, target, options);
}

/** One object alone, several as a List. */
function listOf(objects: readonly JsonObject[]): JsonObject {
  if (objects.length === 1) return objects[0]!;
  return { apiVersion: 'v1', items: objects, kind: 'List', metadata: {} };
}
