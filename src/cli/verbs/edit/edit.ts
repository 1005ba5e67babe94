import { equalValues } from '#machinery/equality.ts';
import { ApiError } from '#machinery/errors.ts';
import type { JsonObject } from '#machinery/meta.ts';
import { dumpYaml } from '#machinery/yaml.ts';
import type { CommandContext } from '../../context.ts';
import { CliError, describeFailure } from '../../failures.ts';
import { booleanFlag, type FlagValues, textFlag, textFlagWith } from '../../flags.ts';
import { withLastApplied } from '../../manifests/last-applied.ts';
import { metadataOf, withKind } from '../../manifests/objects.ts';
import { patchBetween, patchTarget } from '../../manifests/patches.ts';
import { type LoadedTarget, loadTargets, targetLabel, throwProblems } from '../../manifests/targets.ts';
import { fieldValidationOf, validateFlags } from '../../manifests/validation.ts';
import { printJson, withoutManagedFields } from '../../output/printers.ts';
import { fileFlags, parseManifests } from '../../resources/files.ts';
import { defineVerb } from '../../verb.ts';
import { type EditedFile, openEditedFile } from './editor.ts';

const flags = {
  ...fileFlags,
  ...validateFlags,
  'field-manager': textFlagWith('kubectl-edit', 'Name of the manager used to track field ownership.'),
  output: textFlagWith('yaml', 'Output format. One of: (json, yaml).', { short: 'o' }),
  'output-patch': booleanFlag('Output the patch if the resource is edited.'),
  'save-config': booleanFlag('If true, the configuration of current object will be saved in its annotation.'),
  'show-managed-fields': booleanFlag('If true, keep the managedFields when printing objects in JSON or YAML format.'),
  subresource: textFlag('If specified, edit will operate on the subresource of the requested object.'),
  'windows-line-endings': booleanFlag('Defaults to the line ending native to your platform.'),
} as const;

type EditFlags = FlagValues<typeof flags>;

/** Rounds after which somebody who saves the same mistake again and again is let go. */
const maximumRounds = 100;

const preamble = `# Edit the objects below. Lines that begin with '#' do not count,
# and an empty file ends the edit. When something goes wrong on saving,
# the file opens again with what went wrong.
#
`;

export const edit = defineVerb({
  name: 'edit',
  summary: 'Edit a resource on the server',
  usage: '(RESOURCE/NAME | -f FILENAME)',
  about: 'Opens objects in the editor that KUBE_EDITOR or EDITOR names, and patches what was changed.',
  flags,
  async run(context, values, args) {
    const { targets, problems } = await loadTargets(context, { args, files: values });
    throwProblems(problems);
    const file = openEditedFile(context, values.output === 'json' ? '.json' : '.yaml');
    try {
      return await rounds(context, targets, file, values);
    } finally {
      file.remove();
    }
  },
});

async function rounds(
  context: CommandContext,
  targets: readonly LoadedTarget[],
  file: EditedFile,
  values: EditFlags,
): Promise<number> {
  const originals = targets.map((target) => shownOf(target, values));
  let body = bodyOf(originals, values);
  let complaint = '';
  for (let round = 0; round < maximumRounds; round++) {
    const shown = values.output === 'json' ? body : `${preamble}${complaint}${body}`;
    const text = await file.edit(shown);
    const edited = withoutComments(text);
    if (edited.trim() === '') throw new CliError('Edit cancelled, saved file was empty.');
    if (edited.trim() === withoutComments(shown).trim()) {
      context.err(
        complaint === '' ? 'Edit cancelled, no changes made.\n' : 'Edit cancelled, no valid changes were saved.\n',
      );
      return complaint === '' ? 0 : 1;
    }
    try {
      await save(context, { targets, originals, text: edited, source: file.path }, values);
      return 0;
    } catch (error) {
      if (!(error instanceof ApiError) && !(error instanceof CliError)) throw error;
      const why = describeFailure(error);
      context.err(`${why}\n`);
      complaint = `${why
        .split('\n')
        .map((line) => `# ${line}`)
        .join('\n')}\n#\n`;
      body = edited;
    }
  }
  return 1;
}

const withoutComments = (text: string): string =>
  text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n');

const shownOf = ({ object, info }: LoadedTarget, values: EditFlags): JsonObject =>
  withKind(values['show-managed-fields'] ? object : withoutManagedFields(object), info);

function bodyOf(objects: readonly JsonObject[], { output }: EditFlags): string {
  const [first] = objects;
  const all: JsonObject =
    objects.length === 1 && first !== undefined
      ? first
      : { apiVersion: 'v1', items: objects, kind: 'List', metadata: {} };
  return output === 'json' ? `${printJson(all)}\n` : dumpYaml(all);
}

interface Saved {
  readonly targets: readonly LoadedTarget[];
  readonly originals: readonly JsonObject[];
  readonly text: string;
  readonly source: string;
}

async function save(
  context: CommandContext,
  { targets, originals, text, source }: Saved,
  values: EditFlags,
): Promise<void> {
  const manifests = parseManifests(text, source);
  for (const { object } of manifests) {
    const index = originals.findIndex((original) => isSame(original, object));
    const [target, original] = [targets[index], originals[index]];
    if (target === undefined || original === undefined) {
      throw new CliError('At least one of apiVersion, kind and name was changed');
    }
    if (equalValues(object, original)) {
      context.out(`${targetLabel(target)} skipped\n`);
      continue;
    }
    const after = values['save-config'] ? withLastApplied(object) : object;
    const patch = patchBetween(target.info, original, after);
    if (patch === undefined) continue;
    if (values['output-patch']) context.out(`Patch: ${JSON.stringify(patch.body)}\n`);
    const fieldManager = values['field-manager'];
    await patchTarget(context, target, {
      ...patch,
      fieldManager,
      fieldValidation: fieldValidationOf(values),
      subresource: values.subresource,
    });
    context.out(`${targetLabel(target)} edited\n`);
  }
}

function isSame(left: JsonObject, right: JsonObject): boolean {
  const [a, b] = [metadataOf(left), metadataOf(right)];
  return (
    left['apiVersion'] === right['apiVersion'] &&
    left['kind'] === right['kind'] &&
    a.name === b.name &&
    a.namespace === b.namespace
  );
}
