import type { RemoteApi } from '../aggregation/aggregator.ts';
import { compareVersions, localPriority, type Priority } from '../aggregation/priorities.ts';
import type { ResourceTable, ServedResource } from '../resources/resource.ts';

/** One version of a group, and who answers for it. */
export interface DiscoveredVersion {
  readonly version: string;
  readonly priority: Priority;
  readonly local: readonly ServedResource[];
  readonly remote: RemoteApi | undefined;
}

/** A group with its versions, the preferred one first. */
export interface DiscoveredGroup {
  readonly group: string;
  readonly versions: readonly DiscoveredVersion[];
}

/** All groups in the order in which clients prefer them: this server's own, defined ones and aggregated ones. */
export function discoveredGroups(resources: ResourceTable, remotes: Iterable<RemoteApi>): readonly DiscoveredGroup[] {
  const groups = new Map<string, DiscoveredVersion[]>();
  const put = (group: string, version: DiscoveredVersion): void => {
    const versions = groups.get(group) ?? [];
    groups.set(group, versions);
    versions.push(version);
  };
  for (const [group, versions] of resources.groups)
    for (const [version, members] of versions)
      put(group, { version, priority: localPriority(group, version), local: byName(members), remote: undefined });
  for (const remote of remotes) {
    if (resources.hasGroupVersion(remote.group, remote.version)) continue;
    put(remote.group, { version: remote.version, priority: remote.priority, local: [], remote });
  }
  return [...groups]
    .map(([group, versions]) => ({ group, versions: versions.sort(preferred) }))
    .sort((left, right) => groupPriority(right) - groupPriority(left) || (left.group < right.group ? -1 : 1));
}

function byName(members: Iterable<ServedResource>): readonly ServedResource[] {
  return [...members].sort((left, right) => (left.kind.resource < right.kind.resource ? -1 : 1));
}

function preferred(left: DiscoveredVersion, right: DiscoveredVersion): number {
  return right.priority.version - left.priority.version || compareVersions(left.version, right.version);
}

function groupPriority({ versions }: DiscoveredGroup): number {
  return Math.max(...versions.map(({ priority }) => priority.group));
}
