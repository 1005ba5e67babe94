import { createHash } from 'node:crypto';
import type { ServedResource } from '../resources/resource.ts';
import type { DiscoveredGroup, DiscoveredVersion } from './groups.ts';

/** An APIVersions, APIGroupList, APIGroup or APIResourceList of meta/v1. */
export interface DiscoveryDocument {
  readonly kind: string;
  readonly [member: string]: unknown;
}

/** One entry of an APIGroupList; undefined for a group whose servers are all away. */
export function apiGroup({ group, versions }: DiscoveredGroup): object | undefined {
  const entries = versions
    .filter(({ remote }) => remote === undefined || remote.isAvailable)
    .map(({ version }) => ({ groupVersion: `${group}/${version}`, version }));
  return entries.length === 0 ? undefined : { name: group, versions: entries, preferredVersion: entries[0] };
}

/** An APIResourceList: resources and subresources flat, beside each other. */
export function resourceList(resources: readonly ServedResource[]): DiscoveryDocument {
  const { group, version } = resources[0]!.kind;
  const entries = resources.flatMap(flatEntries);
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: group === '' ? version : `${group}/${version}`,
    resources: entries,
  };
}

/** A custom kind's are told in the order in which upstream tells them. */
function verbsOf({ verbs, custom }: ServedResource): readonly string[] {
  return custom === undefined ? [...verbs].sort() : [...verbs];
}

function flatEntries(resource: ServedResource): readonly object[] {
  const { kind, singular, shortNames, categories, subresources } = resource;
  const own = {
    name: kind.resource,
    singularName: singular,
    namespaced: kind.namespaced,
    kind: kind.kind,
    verbs: verbsOf(resource),
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
    ...(resource.storage === undefined ? {} : { storageVersionHash: storageVersionHash(resource) }),
  };
  const nested = [...subresources.values()].map((subresource) => ({
    name: `${kind.resource}/${subresource.name}`,
    singularName: '',
    namespaced: kind.namespaced,
    ...(isOfGroup(subresource, kind) ? {} : { group: subresource.group, version: subresource.version }),
    kind: subresource.kind,
    verbs: subresource.verbs,
  }));
  return [own, ...nested];
}

/** What a subresource takes and gives is of its resource's own group. */
function isOfGroup(subresource: { readonly group: string }, { group }: ServedResource['kind']): boolean {
  return subresource.group === group || subresource.group === '';
}

/** Changes when the version that is kept changes. */
function storageVersionHash({ storage }: ServedResource): string {
  const { group, version, kind } = storage!.kind;
  return createHash('sha256').update(`${group}/${version}/${kind}`).digest().subarray(0, 8).toString('base64');
}

/** The items of an APIGroupDiscoveryList (KEP-3352). */
export function aggregatedGroups(groups: readonly DiscoveredGroup[]): readonly object[] {
  return groups.map(({ group, versions }) => ({
    metadata: group === '' ? {} : { name: group },
    versions: versions.map(aggregatedVersion),
  }));
}

function aggregatedVersion({ version, local, remote }: DiscoveredVersion): object {
  if (remote === undefined) return { version, resources: local.map(aggregatedResource), freshness: 'Current' };
  const { discovery, isAvailable } = remote;
  return {
    version,
    ...(discovery === undefined ? {} : { resources: discovery.resources }),
    freshness: isAvailable && discovery !== undefined ? 'Current' : 'Stale',
  };
}

function aggregatedResource(resource: ServedResource): object {
  const { kind, singular, shortNames, categories, subresources } = resource;
  // Of a built-in kind, upstream leaves out what follows from where it stands.
  const own = resource.custom === undefined ? { group: '', version: '' } : { group: kind.group, version: kind.version };
  const nested = [...subresources.values()].map((subresource) => ({
    subresource: subresource.name,
    responseKind: {
      ...(isOfGroup(subresource, kind) ? own : { group: subresource.group, version: subresource.version }),
      kind: subresource.kind,
    },
    verbs: subresource.verbs,
  }));
  return {
    resource: kind.resource,
    responseKind: { ...own, kind: kind.kind },
    scope: kind.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs: verbsOf(resource),
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
    ...(nested.length === 0 ? {} : { subresources: nested }),
  };
}
