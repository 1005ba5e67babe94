import type { PodTemplateSpec } from '#kinds/generated/types/core_v1.ts';
import { CliError } from '../../failures.ts';
import { integerFlag, textFlag } from '../../flags.ts';
import { withKind } from '../../manifests/objects.ts';
import { loadTargets, requireResources, targetLabel, visitTargets } from '../../manifests/targets.ts';
import { printFlags, typedPrinter } from '../../output/printers.ts';
import { fileFlags } from '../../resources/files.ts';
import { defineVerb } from '../../verb.ts';
import { describePodTemplate } from '../describe/pod-template.ts';
import { Sheet } from '../describe/sheet.ts';
import { changeCauseAnnotation, type Revision, revisionsOf } from './revisions.ts';

export const history = defineVerb({
  name: 'history',
  summary: 'View rollout history',
  usage: '(TYPE NAME | TYPE/NAME) [flags]',
  flags: {
    ...fileFlags,
    ...printFlags,
    revision: integerFlag(0, 'See the details, including podTemplate of the revision specified'),
    selector: textFlag('Selector (label query) to filter on.', { short: 'l' }),
  },
  async run(context, flags, args) {
    requireResources(args, flags, 'required resource not specified');
    const { revision } = flags;
    if (revision < 0) throw new CliError('revision must be a positive integer');
    const print = await typedPrinter(flags);
    await visitTargets(await loadTargets(context, { args, files: flags, selector: flags.selector }), async (target) => {
      const revisions = await revisionsOf(context, target);
      const chosen = revision === 0 ? undefined : revisions.find(({ number }) => number === revision);
      if (revision !== 0 && chosen === undefined) throw new CliError(`unable to find the specified revision`);
      if (print !== undefined) {
        for (const { object } of chosen === undefined ? revisions : [chosen])
          context.out(print(withKind(object, { group: 'apps', version: 'v1', kind: 'ReplicaSet' })));
        return;
      }
      context.out(
        `${targetLabel(target)} ${chosen === undefined ? `\n${table(revisions)}` : `with revision #${revision}\n${details(chosen)}`}\n`,
      );
    });
    return 0;
  },
});

function table(revisions: readonly Revision[]): string {
  if (revisions.length === 0) return 'No rollout history found.\n';
  const rows = revisions.map(({ number, metadata }) => [
    String(number),
    metadata.annotations?.[changeCauseAnnotation] || '<none>',
  ]);
  const width = Math.max(...[['REVISION'], ...rows].map(([first = '']) => first.length)) + 2;
  return `${[['REVISION', 'CHANGE-CAUSE'], ...rows].map(([first = '', second = '']) => first.padEnd(width) + second).join('\n')}\n`;
}

function details({ template }: Revision): string {
  const sheet = new Sheet();
  describePodTemplate(sheet, template as unknown as PodTemplateSpec);
  return sheet.text;
}
