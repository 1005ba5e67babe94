import { createHash } from 'node:crypto';
import type { ServedResource } from '../resources/resource.ts';

/** A group with its versions, the preferred one first. */
export interface GroupVersions {
  readonly group: string;
  readonly versions: readonly string[];
}

/** Groups in the order in which the resources were added: built-in ones by priority, custom ones after. */
export function groupVersions(resources: readonly ServedResource[]): readonly GroupVersions[] {
  const groups = new Map<string, Set<string>>();
  for (const { kind } of resources) {
    const versions = groups.get(kind.group) ?? new Set();
    groups.set(kind.group, versions.add(kind.version));
  }
  return [...groups].map(([group, versions]) => ({ group, versions: [...versions] }));
}

/** One entry of an APIGroupList. */
export function apiGroup({ group, versions }: GroupVersions): object {
  const entries = versions.map((version) => ({ groupVersion: `${group}/${version}`, version }));
  return { name: group, versions: entries, preferredVersion: entries[0] };
}

/** An APIResourceList: resources and subresources flat, beside each other. */
export function resourceList(resources: readonly ServedResource[]): object {
  const { group, version } = resources[0]!.kind;
  const entries = [...resources]
    .sort((left, right) => (left.kind.resource < right.kind.resource ? -1 : 1))
    .flatMap(flatEntries);
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: group === '' ? version : `${group}/${version}`,
    resources: entries,
  };
}

function flatEntries(resource: ServedResource): readonly object[] {
  const { kind, singular, verbs, shortNames, categories, subresources } = resource;
  const own = {
    name: kind.resource,
    singularName: singular,
    namespaced: kind.namespaced,
    kind: kind.kind,
    verbs: [...verbs].sort(),
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
    ...(resource.storage === undefined ? {} : { storageVersionHash: storageVersionHash(resource) }),
  };
  const nested = [...subresources.values()].map((subresource) => ({
    name: `${kind.resource}/${subresource.name}`,
    singularName: '',
    namespaced: kind.namespaced,
    ...(subresource.group === kind.group || subresource.group === ''
      ? {}
      : { group: subresource.group, version: subresource.version }),
    kind: subresource.kind,
    verbs: subresource.verbs,
  }));
  return [own, ...nested];
}

/** Changes when the version that is kept changes. */
function storageVersionHash({ storage }: ServedResource): string {
  const { group, version, kind } = storage!.kind;
  return createHash('sha256').update(`${group}/${version}/${kind}`).digest().subarray(0, 8).toString('base64');
}

/** The items of an APIGroupDiscoveryList (KEP-3352). */
export function aggregatedGroups(resources: readonly ServedResource[]): readonly object[] {
  return groupVersions(resources).map(({ group, versions }) => ({
    metadata: group === '' ? { creationTimestamp: null } : { name: group, creationTimestamp: null },
    versions: versions.map((version) => ({
      version,
      resources: resources
        .filter(({ kind }) => kind.group === group && kind.version === version)
        .sort((left, right) => (left.kind.resource < right.kind.resource ? -1 : 1))
        .map(aggregatedResource),
      freshness: 'Current',
    })),
  }));
}

function aggregatedResource({ kind, singular, verbs, shortNames, categories, subresources }: ServedResource): object {
  const nested = [...subresources.values()].map((subresource) => ({
    subresource: subresource.name,
    responseKind: {
      group: subresource.group === kind.group ? '' : subresource.group,
      version: subresource.group === kind.group ? '' : subresource.version,
      kind: subresource.kind,
    },
    verbs: subresource.verbs,
  }));
  return {
    resource: kind.resource,
    responseKind: { group: kind.group, version: kind.version, kind: kind.kind },
    scope: kind.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs: [...verbs].sort(),
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
    ...(nested.length === 0 ? {} : { subresources: nested }),
  };
}
