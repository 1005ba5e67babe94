import type { JsonObject } from '#machinery/meta.ts';
import { formatTime } from '#machinery/time.ts';
import type { CommandContext } from '../../context.ts';
import { qualifiedName } from '../../discovery/mapper.ts';
import { CliError } from '../../failures.ts';
import { textFlag, textFlagWith } from '../../flags.ts';
import { modifyTargets } from '../../manifests/modify.ts';
import { valueAt, withValueAt } from '../../manifests/objects.ts';
import { type LoadedTarget, loadTargets, requireResources } from '../../manifests/targets.ts';
import { printFlags } from '../../output/printers.ts';
import { fileFlags } from '../../resources/files.ts';
import { defineVerb, type Verb } from '../../verb.ts';

export const rolloutFlags = {
  ...fileFlags,
  ...printFlags,
  'field-manager': textFlagWith('kubectl-rollout', 'Name of the manager used to track field ownership.'),
  selector: textFlag('Selector (label query) to filter on.', { short: 'l' }),
} as const;

interface RolloutChange extends Pick<Verb, 'name' | 'summary'> {
  readonly operation: string;
  /** Throws CliError when the object is in no state for it. */
  readonly change: (object: JsonObject, target: LoadedTarget, context: CommandContext) => JsonObject;
}

const changeVerb = ({ name, summary, operation, change }: RolloutChange): Verb =>
  defineVerb({
    name,
    summary,
    usage: 'RESOURCE',
    flags: rolloutFlags,
    async run(context, flags, args) {
      requireResources(args, flags, 'required resource not specified');
      const selection = await loadTargets(context, { args, files: flags, selector: flags.selector });
      await modifyTargets(context, selection, {
        flags,
        dryRun: 'none',
        fieldManager: flags['field-manager'],
        operation,
        change: (object, target) => change(object, target, context),
      });
      return 0;
    },
  });

const refusal = ({ info, name }: LoadedTarget, why: string): CliError =>
  new CliError(`${qualifiedName(info)} ${JSON.stringify(name)} ${why}`);

const isPaused = (object: JsonObject): boolean => valueAt(object, 'spec', 'paused') === true;
const restartable = new Set(['Deployment', 'DaemonSet', 'StatefulSet']);

export const restart = changeVerb({
  name: 'restart',
  summary: 'Restart a resource',
  operation: 'restarted',
  change(object, target, context) {
    if (!restartable.has(target.info.kind)) throw refusal(target, 'restarting is not supported');
    if (isPaused(object)) throw refusal(target, "can't restart paused deployment (run rollout resume first)");
    const path = ['spec', 'template', 'metadata', 'annotations', 'kubectl.kubernetes.io/restartedAt'];
    return withValueAt(object, path, formatTime(context.clock.now()));
  },
});

function requirePausable(target: LoadedTarget, doing: string): void {
  if (target.info.kind !== 'Deployment') throw refusal(target, `${doing} is not supported`);
}

export const pause = changeVerb({
  name: 'pause',
  summary: 'Mark the provided resource as paused',
  operation: 'paused',
  change(object, target) {
    requirePausable(target, 'pausing');
    if (isPaused(object)) throw refusal(target, 'is already paused');
    return withValueAt(object, ['spec', 'paused'], true);
  },
});

export const resume = changeVerb({
  name: 'resume',
  summary: 'Resume a paused resource',
  operation: 'resumed',
  change(object, target) {
    requirePausable(target, 'resuming');
    if (!isPaused(object)) throw refusal(target, 'is not paused');
    return withValueAt(object, ['spec', 'paused'], undefined);
  },
});
