import type { JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../../context.ts';
import type { ResourceInfo, RestMapper } from '../../discovery/mapper.ts';
import { CliError } from '../../failures.ts';
import { deleteTarget } from '../../manifests/deletion.ts';
import { dryRunSuffix } from '../../manifests/dry-run.ts';
import { lastAppliedText } from '../../manifests/last-applied.ts';
import { metadataOf } from '../../manifests/objects.ts';
import { targetLabel } from '../../manifests/targets.ts';
import { fetchObjects } from '../../resources/fetch.ts';
import type { ApplyOptions } from './apply.ts';

/** What is pruned unless `--prune-allowlist` says otherwise. */
const defaultAllowlist = [
  'core/v1/ConfigMap',
  'core/v1/Endpoints',
  'core/v1/Namespace',
  'core/v1/PersistentVolumeClaim',
  'core/v1/PersistentVolume',
  'core/v1/Pod',
  'core/v1/ReplicationController',
  'core/v1/Secret',
  'core/v1/Service',
  'batch/v1/Job',
  'batch/v1/CronJob',
  'networking.k8s.io/v1/Ingress',
  'apps/v1/DaemonSet',
  'apps/v1/Deployment',
  'apps/v1/ReplicaSet',
  'apps/v1/StatefulSet',
] as const;

/** Deletes what was applied once, is selected, and is no longer among the manifests. */
export async function prune(
  context: CommandContext,
  applied: readonly JsonObject[],
  { flags, dryRun }: ApplyOptions,
): Promise<void> {
  const mapper = await context.mapper();
  const given = flags['prune-allowlist'];
  const infos = (given.length > 0 ? given : defaultAllowlist).map((text) => allowed(mapper, text));
  const keep = new Set(applied.map((object) => metadataOf(object).uid));
  const namespaces = new Set(applied.flatMap((object) => metadataOf(object).namespace ?? []));
  for (const info of infos) {
    for (const namespace of info.namespaced ? namespaces : [undefined]) {
      for (const object of await fetchObjects(context, { info, namespace, labelSelector: flags.selector })) {
        const { name = '', uid } = metadataOf(object);
        if (keep.has(uid) || lastAppliedText(object) === undefined) continue;
        const target = { info, namespace, name };
        const gracePeriodSeconds = flags['grace-period'];
        if (dryRun !== 'client')
          await deleteTarget(context, target, { cascade: flags.cascade, gracePeriodSeconds, dryRun });
        context.out(`${targetLabel(target)} pruned${dryRunSuffix(dryRun)}\n`);
      }
    }
  }
}

function allowed(mapper: RestMapper, text: string): ResourceInfo {
  const [group, version, kind, ...rest] = text.split('/');
  if (group === undefined || version === undefined || kind === undefined || rest.length > 0) {
    throw new CliError(`invalid GroupVersionKind format: ${text}, please follow <group/version/kind>`);
  }
  return mapper.kind(group === 'core' || group === '' ? version : `${group}/${version}`, kind);
}
