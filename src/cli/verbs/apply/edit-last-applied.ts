import { equalValues } from '#machinery/equality.ts';
import type { JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../../context.ts';
import { CliError } from '../../failures.ts';
import { booleanFlag, type FlagValues, textFlagWith } from '../../flags.ts';
import { annotationPatch, lastApplied } from '../../manifests/last-applied.ts';
import { patchTarget } from '../../manifests/patches.ts';
import { type LoadedTarget, loadTargets, throwProblems } from '../../manifests/targets.ts';
import { fieldValidationOf, validateFlags } from '../../manifests/validation.ts';
import { printFlags, resultPrinter } from '../../output/printers.ts';
import { fileFlags } from '../../resources/files.ts';
import { defineVerb } from '../../verb.ts';
import { type Edited, editObjects } from '../edit/session.ts';

const flags = {
  ...fileFlags,
  ...printFlags,
  ...validateFlags,
  'field-manager': textFlagWith('kubectl-client-side-apply', 'Name of the manager used to track field ownership.'),
  'windows-line-endings': booleanFlag('Defaults to the line ending native to your platform.'),
} as const;

interface AppliedManifest extends Edited {
  readonly target: LoadedTarget;
}

const preamble = `# Edit the manifests below, which were applied last. Lines that begin with '#'
# do not count, and an empty file ends the edit.
`;

export const editLastApplied = defineVerb({
  name: 'edit-last-applied',
  summary: 'Edit latest last-applied-configuration annotations of a resource/object',
  usage: '(RESOURCE/NAME | -f FILENAME)',
  about:
    'Opens what was applied last to objects in the editor that KUBE_EDITOR or EDITOR names. Only the annotation changes: the next apply compares with it.',
  flags,
  async run(context, values, args) {
    const { targets, problems } = await loadTargets(context, { args, files: values });
    throwProblems(problems);
    const items = targets.flatMap((target): AppliedManifest[] => {
      const shown = lastApplied(target.object);
      return shown === undefined ? [] : [{ ...target, target, shown }];
    });
    if (items.length === 0) {
      throw new CliError(
        'no last-applied-configuration annotation found on resources, to create the annotation, use command `kubectl apply set-last-applied --create-annotation`',
      );
    }
    return editObjects(context, {
      preamble,
      flags: values,
      items,
      save: (item, after) => save(context, item, after, values),
    });
  },
});

async function save(
  context: CommandContext,
  { target, shown }: AppliedManifest,
  edited: JsonObject,
  values: FlagValues<typeof flags>,
): Promise<void> {
  const isSame = equalValues(edited, shown);
  if (!isSame) {
    await patchTarget(context, target, {
      type: 'merge',
      body: annotationPatch(edited),
      fieldManager: values['field-manager'],
      fieldValidation: fieldValidationOf(values),
    });
  }
  context.out((await resultPrinter(values, isSame ? 'skipped' : 'edited'))(edited));
}
