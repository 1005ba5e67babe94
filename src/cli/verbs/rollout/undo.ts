import { equalValues } from '#machinery/equality.ts';
import type { JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../../context.ts';
import { CliError } from '../../failures.ts';
import { integerFlag } from '../../flags.ts';
import { dryRunFlags, dryRunOf, dryRunSuffix } from '../../manifests/dry-run.ts';
import { lastAppliedText } from '../../manifests/last-applied.ts';
import { metadataOf, valueAt, withMetadata } from '../../manifests/objects.ts';
import { patchTarget } from '../../manifests/patches.ts';
import {
  type LoadedTarget,
  loadTargets,
  requireResources,
  targetLabel,
  visitTargets,
} from '../../manifests/targets.ts';
import { defineVerb } from '../../verb.ts';
import { rolloutFlags } from './change.ts';
import { type Revision, revisionsOf } from './revisions.ts';

export const undo = defineVerb({
  name: 'undo',
  summary: 'Undo a previous rollout',
  usage: '(TYPE NAME | TYPE/NAME) [flags]',
  flags: {
    ...rolloutFlags,
    ...dryRunFlags,
    'to-revision': integerFlag(0, 'The revision to rollback to. Default to 0 (last revision).'),
  },
  async run(context, flags, args) {
    const dryRun = dryRunOf(context, flags);
    requireResources(args, flags, 'required resource not specified');
    const wanted = flags['to-revision'];
    if (wanted < 0) throw new CliError('--to-revision must be greater than or equal to 0');
    await visitTargets(await loadTargets(context, { args, files: flags, selector: flags.selector }), async (target) => {
      if (lastAppliedText(target.object) !== undefined) {
        context.err(
          `Warning: resource ${target.info.resource}/${target.name} was previously managed with 'kubectl apply'. Rolling back will not update the kubectl.kubernetes.io/last-applied-configuration annotation, which may cause unexpected behavior on future 'kubectl apply' operations. Consider using 'kubectl apply' with your previous configuration file instead.\n`,
        );
      }
      const done = await rollBack(context, target, wanted, (request) =>
        dryRun === 'client'
          ? Promise.resolve({})
          : patchTarget(context, target, { ...request, dryRun, fieldManager: flags['field-manager'] }),
      );
      context.out(`${targetLabel(target)} ${done}${dryRunSuffix(dryRun)}\n`);
    });
    return 0;
  },
});

type Send = (request: { readonly type: 'json' | 'strategic'; readonly body: object }) => Promise<JsonObject>;

/** Resolves with what was done. Throws CliError when there is nothing to go back to. */
async function rollBack(context: CommandContext, target: LoadedTarget, wanted: number, send: Send): Promise<string> {
  const revisions = await revisionsOf(context, target);
  const { info, object } = target;
  if (info.kind === 'Deployment' && valueAt(object, 'spec', 'paused') === true) {
    throw new CliError(
      "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again",
    );
  }
  const chosen = choose(target, revisions, wanted);
  const template = withoutHash(chosen.template);
  const current = withoutHash((valueAt(object, 'spec', 'template') ?? {}) as JsonObject);
  if (equalValues(template, current)) {
    return `skipped rollback (current template already matches revision ${chosen.number})`;
  }
  if (info.kind === 'Deployment') await send({ type: 'json', body: replaceTemplate(target, chosen, template) });
  else await send({ type: 'strategic', body: chosen.object['data'] as JsonObject });
  return 'rolled back';
}

/** The revision that was asked for; without one, the last but one. */
function choose({ info, name }: LoadedTarget, revisions: readonly Revision[], wanted: number): Revision {
  const kind = info.kind.toLowerCase();
  if (revisions.length === 0 || (wanted === 0 && kind === 'deployment' && revisions.length === 1))
    throw new CliError(`no rollout history found for ${kind} ${JSON.stringify(name)}`);
  const chosen = wanted === 0 ? revisions.at(-2) : revisions.find(({ number }) => number === wanted);
  if (chosen !== undefined) return chosen;
  if (wanted === 0) throw new CliError(`no last revision to roll back to`);
  throw new CliError(`unable to find specified revision ${wanted} in history`);
}

function withoutHash(template: JsonObject): JsonObject {
  const { 'pod-template-hash': _, ...labels } = metadataOf(template).labels ?? {};
  return withMetadata(template, { labels });
}

/** Annotations of the old replica set come back too, except those that tell its own story. */
function replaceTemplate({ object }: LoadedTarget, { metadata }: Revision, template: JsonObject): object[] {
  const own = new Set([
    'kubectl.kubernetes.io/last-applied-configuration',
    'deployment.kubernetes.io/revision',
    'deployment.kubernetes.io/revision-history',
    'deployment.kubernetes.io/desired-replicas',
    'deployment.kubernetes.io/max-replicas',
    'deprecated.deployment.rollback.to',
  ]);
  const live = Object.entries(metadataOf(object).annotations ?? {}).filter(([key]) => own.has(key));
  const old = Object.entries(metadata.annotations ?? {}).filter(([key]) => !own.has(key));
  return [
    { op: 'replace', path: '/spec/template', value: template },
    { op: 'replace', path: '/metadata/annotations', value: Object.fromEntries([...live, ...old]) },
  ];
}
