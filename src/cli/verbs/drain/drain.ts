import { sleep } from '#base/clock.ts';
import type { Pod } from '#kinds/generated/types/core_v1.ts';
import { ApiError, aggregated } from '#machinery/errors.ts';
import type { CommandContext } from '../../context.ts';
import { CliError, ExitError } from '../../failures.ts';
import { booleanFlag, durationFlag, type FlagValues, integerFlag, textFlag } from '../../flags.ts';
import { deleteTarget } from '../../manifests/deletion.ts';
import { type DryRun, dryRunFlags, dryRunOf, dryRunSuffix } from '../../manifests/dry-run.ts';
import { builtInOf } from '../../manifests/generate.ts';
import { type LoadedTarget, loadIfPresent, targetPath, throwProblems } from '../../manifests/targets.ts';
import { isNotFound } from '../../resources/fetch.ts';
import { defineVerb } from '../../verb.ts';
import { loadNodes, setUnschedulable } from './cordon.ts';
import { type ChosenPods, choosePods } from './pods.ts';

const flags = {
  ...dryRunFlags,
  'chunk-size': integerFlag(500, 'Return large lists in chunks rather than all at once. Pass 0 to disable.'),
  'delete-emptydir-data': booleanFlag(
    'Continue even if there are pods using emptyDir (local data that will be deleted when the node is drained).',
  ),
  'disable-eviction': booleanFlag(
    'Force drain to use delete, even if eviction is supported. This will bypass checking PodDisruptionBudgets, use with caution.',
  ),
  force: booleanFlag('Continue even if there are pods that do not declare a controller.'),
  'grace-period': integerFlag(
    -1,
    'Period of time in seconds given to each pod to terminate gracefully. If negative, the default value specified in the pod will be used.',
  ),
  'ignore-daemonsets': booleanFlag('Ignore DaemonSet-managed pods.'),
  'pod-selector': textFlag('Label selector to filter pods on the node'),
  selector: textFlag('Selector (label query) to filter on.', { short: 'l' }),
  'skip-wait-for-delete-timeout': integerFlag(
    0,
    'If pod DeletionTimestamp older than N seconds, skip waiting for the pod.',
  ),
  timeout: durationFlag(0, 'The length of time to wait before giving up, zero means infinite'),
} as const;

type DrainFlags = FlagValues<typeof flags>;

/** An eviction that a disruption budget forbids is tried again after this. */
const evictionPauseMs = 5000;
const gonePauseMs = 500;

export const drain = defineVerb({
  name: 'drain',
  summary: 'Drain node in preparation for maintenance',
  usage: 'NODE',
  examples: `
# Empty a node, daemon sets aside
kubectl drain worker-1 --ignore-daemonsets`,
  flags,
  async run(context, values, args) {
    const dryRun = dryRunOf(context, values);
    const { targets, problems } = await loadNodes(context, args, values.selector);
    throwProblems(problems);
    for (const node of targets) await setUnschedulable(context, node, true, dryRun);
    const pending: string[] = [];
    const failures: string[] = [];
    for (const node of targets) {
      try {
        await empty(context, node, values, dryRun);
        context.out(`node/${node.name} drained${dryRunSuffix(dryRun)}\n`);
      } catch (error) {
        context.signal.throwIfAborted();
        const why = (error as Error).message;
        context.err(`error: unable to drain node "${node.name}" due to error: ${why}, continuing command...\n`);
        pending.push(node.name);
        failures.push(why);
      }
    }
    if (pending.length === 0) return 0;
    context.err(`There are pending nodes to be drained:\n${pending.map((name) => ` ${name}`).join('\n')}\n`);
    throw new ExitError(
      1,
      failures
        .map((why) => why.replace(/^\[|\]$/g, ''))

        .join('\n'),
    );
  },
});

async function empty(context: CommandContext, node: LoadedTarget, values: DrainFlags, dryRun: DryRun): Promise<void> {
  const chosen: ChosenPods = await choosePods(context, node.name, values);
  if (chosen.refusals.length > 0) {
    throw new CliError(aggregated(chosen.refusals));
  }
  if (chosen.warnings.length > 0) context.err(`Warning: ${chosen.warnings.join('; ')}\n`);
  const timeout = new AbortController();
  const timer =
    values.timeout === 0
      ? undefined
      : context.clock.schedule(values.timeout, () =>
          timeout.abort(new CliError(`global timeout reached: ${values.timeout / 1000}s`)),
        );
  try {
    const signal = AbortSignal.any([context.signal, timeout.signal]);
    await Promise.all(chosen.pods.map((pod) => sendAway(context, pod, values, dryRun, signal)));
  } finally {
    timer?.cancel();
  }
}

async function sendAway(
  context: CommandContext,
  pod: Pod,
  values: DrainFlags,
  dryRun: DryRun,
  signal: AbortSignal,
): Promise<void> {
  const { name = '', namespace = '', uid } = pod.metadata;
  const target = { info: builtInOf({ apiVersion: 'v1', kind: 'Pod' }), namespace, name };
  const byDeletion = values['disable-eviction'];
  if (dryRun === 'client') return;
  context.out(`${byDeletion ? 'deleting' : 'evicting'} pod ${namespace}/${name}${dryRunSuffix(dryRun)}\n`);
  const gracePeriodSeconds = values['grace-period'];
  for (;;) {
    signal.throwIfAborted();
    try {
      if (byDeletion) await deleteTarget(context, target, { gracePeriodSeconds, dryRun });
      else await evict(context, target, gracePeriodSeconds, dryRun);
      break;
    } catch (error) {
      if (isNotFound(error)) return;
      const isHeldUp = error instanceof ApiError && error.code === 429;
      if (!isHeldUp)
        throw new CliError(`error when evicting pods/"${name}" -n "${namespace}": ${(error as Error).message}`);
      context.err(`error when evicting pods/"${name}" -n "${namespace}" (will retry after 5s): ${error.message}\n`);
      await sleep(context.clock, evictionPauseMs, signal);
    }
  }
  if (dryRun !== 'none') return;
  for (;;) {
    const object = await loadIfPresent(context, target);
    if (object === undefined || (object as unknown as Pod).metadata.uid !== uid) break;
    await sleep(context.clock, gonePauseMs, signal);
  }
  context.out(`pod/${name} ${byDeletion ? 'deleted' : 'evicted'}\n`);
}

function evict(
  context: CommandContext,
  target: Parameters<typeof targetPath>[0],
  gracePeriodSeconds: number,
  dryRun: DryRun,
): Promise<unknown> {
  const deleteOptions = {
    ...(gracePeriodSeconds < 0 ? {} : { gracePeriodSeconds }),
    ...(dryRun === 'server' ? { dryRun: ['All'] } : {}),
  };
  return context.request({
    method: 'POST',
    path: targetPath(target, 'eviction'),
    body: {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: target.name, namespace: target.namespace },
      ...(Object.keys(deleteOptions).length === 0 ? {} : { deleteOptions }),
    },
  });
}
