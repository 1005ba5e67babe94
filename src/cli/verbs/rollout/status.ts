import type { DaemonSet, Deployment, StatefulSet } from '#kinds/generated/types/apps_v1.ts';
import type { JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../../context.ts';
import { CliError, ExitError } from '../../failures.ts';
import { booleanFlag, durationFlag, integerFlag, textFlag } from '../../flags.ts';
import { metadataOf } from '../../manifests/objects.ts';
import { type LoadedTarget, loadTargets, requireResources, throwProblems } from '../../manifests/targets.ts';
import { untilObject, WaitTimeout } from '../../manifests/watch.ts';
import { fileFlags } from '../../resources/files.ts';
import { defineVerb } from '../../verb.ts';

/** How far a rollout is, in words. */
export interface RolloutStatus {
  readonly message: string;
  readonly done: boolean;
}

export const status = defineVerb({
  name: 'status',
  summary: 'Show the status of the rollout',
  usage: '(TYPE NAME | TYPE/NAME) [flags]',
  flags: {
    ...fileFlags,
    revision: integerFlag(0, 'Pin to a specific revision for showing its status. Defaults to 0 (last revision).'),
    selector: textFlag('Selector (label query) to filter on.', { short: 'l' }),
    timeout: durationFlag(
      0,
      'The length of time to wait before ending watch, zero means never. Any other values should contain a corresponding time unit (e.g. 1s, 2m, 3h).',
    ),
    watch: booleanFlag("Watch the status of the rollout until it's done.", { short: 'w', initial: true }),
  },
  async run(context, flags, args) {
    requireResources(args, flags, 'required resource not specified');
    const { targets, problems } = await loadTargets(context, { args, files: flags, selector: flags.selector });
    throwProblems(problems);
    for (const target of targets) await follow(context, target, flags);
    return 0;
  },
});

async function follow(
  context: CommandContext,
  target: LoadedTarget,
  { watch, revision, timeout }: { readonly watch: boolean; readonly revision: number; readonly timeout: number },
): Promise<void> {
  const done = (object: JsonObject | undefined): true | undefined => {
    if (object === undefined) throw new CliError('object has been deleted');
    const { message, done: isDone } = rolloutStatus(target.info.kind, object, revision);
    context.out(`${message}\n`);
    return isDone || !watch ? true : undefined;
  };
  try {
    await untilObject(context, target, done, timeout === 0 ? {} : { timeoutMs: timeout });
  } catch (error) {
    if (!(error instanceof WaitTimeout)) throw error;
    throw new ExitError(1, `error: timed out waiting for the condition`);
  }
}

/** Throws CliError for kinds and strategies without a rollout, and for one that has failed. */
function rolloutStatus(kind: string, object: JsonObject, revision: number): RolloutStatus {
  switch (kind) {
    case 'Deployment':
      return deploymentStatus(object as unknown as Deployment, revision);
    case 'DaemonSet':
      return daemonSetStatus(object as unknown as DaemonSet);
    case 'StatefulSet':
      return statefulSetStatus(object as unknown as StatefulSet);
    default:
      throw new CliError(`no status viewer has been implemented for ${kind}`);
  }
}

const waiting = (message: string): RolloutStatus => ({ message, done: false });

const isObserved = (object: Deployment | DaemonSet | StatefulSet): boolean =>
  (metadataOf(object as unknown as JsonObject).generation ?? 0) <= (object.status?.observedGeneration ?? 0);

function deploymentStatus(deployment: Deployment, revision: number): RolloutStatus {
  const { metadata, spec, status: now } = deployment;
  const name = JSON.stringify(metadata.name);
  if (revision > 0) {
    const current = metadata.annotations?.['deployment.kubernetes.io/revision'] ?? '0';
    if (Number(current) !== revision) {
      throw new CliError(`desired revision (${revision}) is different from the running revision (${current})`);
    }
  }
  if (!isObserved(deployment)) return waiting('Waiting for deployment spec update to be observed...');
  const progressing = now?.conditions?.find(({ type }) => type === 'Progressing');
  if (progressing?.reason === 'ProgressDeadlineExceeded') {
    throw new CliError(`deployment ${name} exceeded its progress deadline`);
  }
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = now ?? {};
  const wanted = spec?.replicas ?? 1;
  const start = `Waiting for deployment ${name} rollout to finish:`;
  if (updatedReplicas < wanted) {
    return waiting(`${start} ${updatedReplicas} out of ${wanted} new replicas have been updated...`);
  }
  if (replicas > updatedReplicas) {
    return waiting(`${start} ${replicas - updatedReplicas} old replicas are pending termination...`);
  }
  if (availableReplicas < updatedReplicas) {
    return waiting(`${start} ${availableReplicas} of ${updatedReplicas} updated replicas are available...`);
  }
  return { message: `deployment ${name} successfully rolled out`, done: true };
}

const rollingOnly = 'rollout status is only available for RollingUpdate strategy type';

function daemonSetStatus(daemonSet: DaemonSet): RolloutStatus {
  const { metadata, spec, status: now } = daemonSet;
  if ((spec?.updateStrategy?.type ?? 'RollingUpdate') !== 'RollingUpdate') throw new CliError(rollingOnly);
  const name = JSON.stringify(metadata.name);
  if (!isObserved(daemonSet)) return waiting('Waiting for daemon set spec update to be observed...');
  const {
    updatedNumberScheduled: updated = 0,
    desiredNumberScheduled: wanted = 0,
    numberAvailable: available = 0,
  } = now ?? {};
  const start = `Waiting for daemon set ${name} rollout to finish:`;
  if (updated < wanted) return waiting(`${start} ${updated} out of ${wanted} new pods have been updated...`);
  if (available < wanted) return waiting(`${start} ${available} of ${wanted} updated pods are available...`);
  return { message: `daemon set ${name} successfully rolled out`, done: true };
}

function statefulSetStatus(statefulSet: StatefulSet): RolloutStatus {
  const { spec, status: now } = statefulSet;
  if ((spec?.updateStrategy?.type ?? 'RollingUpdate') !== 'RollingUpdate') throw new CliError(rollingOnly);
  if ((now?.observedGeneration ?? 0) === 0 || !isObserved(statefulSet)) {
    return waiting('Waiting for statefulset spec update to be observed...');
  }
  const wanted = spec?.replicas ?? 1;
  const {
    readyReplicas = 0,
    updatedReplicas = 0,
    currentReplicas = 0,
    updateRevision = '',
    currentRevision = '',
  } = now ?? {};
  if (readyReplicas < wanted) return waiting(`Waiting for ${wanted - readyReplicas} pods to be ready...`);
  const partition = spec?.updateStrategy?.rollingUpdate?.partition ?? 0;
  if (partition > 0) {
    const needed = wanted - partition;
    if (updatedReplicas < needed) {
      return waiting(
        `Waiting for partitioned roll out to finish: ${updatedReplicas} out of ${needed} new pods have been updated...`,
      );
    }
    return { message: `partitioned roll out complete: ${updatedReplicas} new pods have been updated...`, done: true };
  }
  if (updateRevision !== currentRevision) {
    return waiting(
      `waiting for statefulset rolling update to complete ${updatedReplicas} pods at revision ${updateRevision}...`,
    );
  }
  return {
    message: `statefulset rolling update complete ${currentReplicas} pods at revision ${currentRevision}...`,
    done: true,
  };
}
