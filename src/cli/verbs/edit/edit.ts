import { equalValues } from '#machinery/equality.ts';
import type { JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../../context.ts';
import { CliError } from '../../failures.ts';
import { booleanFlag, type FlagValues, textFlag, textFlagWith } from '../../flags.ts';
import { withLastApplied } from '../../manifests/last-applied.ts';
import { withKind } from '../../manifests/objects.ts';
import { patchBetween, patchTarget } from '../../manifests/patches.ts';
import { type LoadedTarget, loadTargets, throwProblems } from '../../manifests/targets.ts';
import { fieldValidationOf, validateFlags } from '../../manifests/validation.ts';
import { printFlags, resultPrinter, withoutManagedFields } from '../../output/printers.ts';
import { fileFlags } from '../../resources/files.ts';
import { defineVerb } from '../../verb.ts';
import { type Edited, editObjects } from './session.ts';

const flags = {
  ...fileFlags,
  ...printFlags,
  ...validateFlags,
  'field-manager': textFlagWith('kubectl-edit', 'Name of the manager used to track field ownership.'),
  'output-patch': booleanFlag('Output the patch if the resource is edited.'),
  'save-config': booleanFlag('If true, the configuration of current object will be saved in its annotation.'),
  subresource: textFlag('If specified, edit will operate on the subresource of the requested object.'),
  'windows-line-endings': booleanFlag('Defaults to the line ending native to your platform.'),
} as const;

type EditFlags = FlagValues<typeof flags>;

interface EditedTarget extends Edited {
  readonly target: LoadedTarget;
}

const preamble = `# Edit the objects below. Lines that begin with '#' do not count,
# and an empty file ends the edit. When something goes wrong on saving,
# the file opens again with what went wrong.
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
    if (targets.length === 0) throw new CliError('edit cancelled, no objects found');
    const items = targets.map((target) => ({ ...target, target, shown: shownOf(target, values) }));
    return editObjects<EditedTarget>(context, {
      preamble,
      flags: values,
      items,
      save: (item, after) => save(context, item, after, values),
    });
  },
});

const shownOf = ({ object, info }: LoadedTarget, values: EditFlags): JsonObject =>
  withKind(values['show-managed-fields'] ? object : withoutManagedFields(object), info);

async function save(
  context: CommandContext,
  { target, shown }: EditedTarget,
  edited: JsonObject,
  values: EditFlags,
): Promise<void> {
  if (equalValues(edited, shown)) {
    context.out((await resultPrinter(values, 'skipped'))(edited));
    return;
  }
  const after = values['save-config'] ? withLastApplied(edited) : edited;
  const patch = patchBetween(target.info, shown, after);
  if (patch === undefined) return;
  if (values['output-patch']) context.out(`Patch: ${JSON.stringify(patch.body)}\n`);
  const object = await patchTarget(context, target, {
    ...patch,
    fieldManager: values['field-manager'],
    fieldValidation: fieldValidationOf(values),
    subresource: values.subresource,
  });
  context.out((await resultPrinter(values, 'edited'))(withKind(object, target.info)));
}
