import type { JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../../context.ts';
import type { ResourceInfo, RestMapper } from '../../discovery/mapper.ts';
import { CliError } from '../../failures.ts';
import { deleteTarget } from '../../manifests/deletion.ts';
import { dryRunSuffix } from '../../manifests/dry-run.ts';
import { lastAppliedText } from '../../manifests/last-applied.ts';
import { metadataOf } from '../../manifests/objects.ts';
import { type LoadedTarget, targetLabel } from '../../manifests/targets.ts';
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

/** Among what to look for objects that an apply would take away. */
export interface PruneScope {
  /** `<group/version/kind>`; empty: the default kinds. */
  readonly allowlist: readonly string[];
  readonly selector: string | undefined;
  /** UIDs of the objects that are among the manifests. */
  readonly keep: ReadonlySet<string | undefined>;
  readonly namespaces: ReadonlySet<string>;
}

/** What was applied once, is selected, and is no longer among the manifests. */
export async function prunable(context: CommandContext, scope: PruneScope): Promise<readonly LoadedTarget[]> {
  const { allowlist, selector, keep, namespaces } = scope;
  const mapper = await context.mapper();
  const infos = (allowlist.length > 0 ? allowlist : defaultAllowlist).map((text) => allowed(mapper, text));
  const found: LoadedTarget[] = [];
  for (const info of infos) {
    for (const namespace of info.namespaced ? namespaces : [undefined]) {
      for (const object of await fetchObjects(context, { info, namespace, labelSelector: selector })) {
        const { name = '', uid } = metadataOf(object);
        if (!keep.has(uid) && lastAppliedText(object) !== undefined) found.push({ info, namespace, name, object });
      }
    }
  }
  return found;
}

/** Deletes them. */
export async function prune(
  context: CommandContext,
  applied: readonly JsonObject[],
  { flags, dryRun }: ApplyOptions,
): Promise<void> {
  const targets = await prunable(context, {
    allowlist: flags['prune-allowlist'],
    selector: flags.selector,
    keep: new Set(applied.map((object) => metadataOf(object).uid)),
    namespaces: new Set(applied.flatMap((object) => metadataOf(object).namespace ?? [])),
  });
  for (const target of targets) {
    const gracePeriodSeconds = flags['grace-period'];
    if (dryRun !== 'client')
      await deleteTarget(context, target, { cascade: flags.cascade, gracePeriodSeconds, dryRun });
    context.out(`${targetLabel(target)} pruned${dryRunSuffix(dryRun)}\n`);
  }
}

function allowed(mapper: RestMapper, text: string): ResourceInfo {
  const [group, version, kind, ...rest] = text.split('/');
  if (group === undefined || version === undefined || kind === undefined || rest.length > 0) {
    throw new CliError(`invalid GroupVersionKind format: ${text}, please follow <group/version/kind>`);
  }
  return mapper.kind(group === 'core' || group === '' ? version : `${group}/${version}`, kind);
}
