import { parseLabelSelector } from '#machinery/label-parser.ts';
import { matchesLabels } from '#machinery/labels.ts';
import type { JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../../context.ts';
import { CliError } from '../../failures.ts';
import { booleanFlag, type FlagValues, textFlag, textFlagWith } from '../../flags.ts';
import { dryRunFlags, dryRunOf, dryRunSuffix } from '../../manifests/dry-run.ts';
import { whileDoing } from '../../manifests/failures.ts';
import { withLastApplied } from '../../manifests/last-applied.ts';
import { metadataOf, withKind } from '../../manifests/objects.ts';
import { createObject } from '../../manifests/patches.ts';
import { hasFiles, manifestTargets, visitTargets } from '../../manifests/targets.ts';
import { fieldValidationOf, validateFlags } from '../../manifests/validation.ts';
import { printFlags, resultPrinter } from '../../output/printers.ts';
import { fileFlags } from '../../resources/files.ts';
import { defineVerb } from '../../verb.ts';
import { editAndCreate } from '../edit/create.ts';
import { generatorEntries } from './generators.ts';

const flags = {
  ...fileFlags,
  ...printFlags,
  ...dryRunFlags,
  ...validateFlags,
  edit: booleanFlag('Edit the API resource before creating'),
  'field-manager': textFlagWith('kubectl-create', 'Name of the manager used to track field ownership.'),
  raw: textFlag('Raw URI to POST to the server. Uses the transport specified by the kubeconfig file.'),
  'save-config': booleanFlag('If true, the configuration of current object will be saved in its annotation.'),
  selector: textFlag('Selector (label query) to filter on.', { short: 'l' }),
  'windows-line-endings': booleanFlag(
    'Only relevant if --edit=true. Defaults to the line ending native to your platform.',
  ),
} as const;

export const create = defineVerb({
  name: 'create',
  summary: 'Create a resource from a file or from stdin',
  usage: '-f FILENAME',
  examples: `
# Create what a file describes
kubectl create -f pod.yaml

# Create a deployment of an image
kubectl create deployment web --image=nginx`,
  flags,
  commands: generatorEntries,
  run: runCreate,
});

async function runCreate(
  context: CommandContext,
  values: FlagValues<typeof flags>,
  args: readonly string[],
): Promise<number> {
  if (args.length > 0)
    throw new CliError(`Unexpected args: [${args.join(' ')}]\nSee 'kubectl create -h' for help and examples`);
  if (!hasFiles(values)) throw new CliError('must specify one of -f and -k');
  const dryRun = dryRunOf(context, values);
  const fieldValidation = fieldValidationOf(values);
  const selection = await manifestTargets(context, values);
  if (values.raw !== undefined) {
    const answer = await context.request({ method: 'POST', path: values.raw, body: selection.targets[0]?.object });
    context.out(`${JSON.stringify(answer)}\n`);
    return 0;
  }
  const print = await resultPrinter(values, 'created', dryRunSuffix(dryRun));
  const selector = parseLabelSelector(values.selector ?? '');
  const targets = selection.targets.filter(({ object }) => matchesLabels(selector, metadataOf(object).labels));
  if (targets.length === 0 && selection.problems.length === 0) throw new CliError('no objects passed to create');
  const chosen = values.edit ? await editAndCreate(context, targets) : targets;
  await visitTargets({ targets: chosen, problems: selection.problems }, async (target) => {
    const object = values['save-config'] ? withLastApplied(target.object) : target.object;
    let result: JsonObject = object;
    try {
      if (dryRun !== 'client') {
        const options = { dryRun, fieldManager: values['field-manager'], fieldValidation };
        result = await createObject(context, { ...target, object }, options);
      }
    } catch (error) {
      throw whileDoing('creating', target.source, error);
    }
    context.out(print(withKind(result, target.info)));
  });
  return 0;
}
