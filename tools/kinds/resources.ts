import { type DiscoveryGroup, type DiscoveryResource, definitions, fail, read, shorten } from './published.ts';

export interface ResourceRow {
  group: string;
  version: string;
  resource: string;
  singular: string;
  kind: string;
  namespaced: boolean;
  verbs: string[];
  shortNames?: string[];
  categories?: string[];
  object: string;
  subresources?: { name: string; group: string; version: string; kind: string; verbs: string[] }[];
}

/** In discovery order. */
export const resources: ResourceRow[] = [];
const definitionByKind = new Map<string, string>();
for (const [longName, definition] of Object.entries(definitions)) {
  const kinds = definition['x-kubernetes-group-version-kind'] ?? [];
  if (kinds.length === 1)
    definitionByKind.set(`${kinds[0]!.group}/${kinds[0]!.version}/${kinds[0]!.kind}`, shorten(longName));
}
for (const resource of coreResources()) resources.push(resourceRow('', 'v1', resource));
for (const group of read<{ items: DiscoveryGroup[] }>('discovery-apis.json').items) {
  for (const version of group.versions) {
    for (const resource of version.resources)
      resources.push(resourceRow(group.metadata.name ?? '', version.version, resource));
  }
}

/** The core group is published in the older, flat form: subresources stand beside their resources. */
function coreResources(): DiscoveryResource[] {
  type Flat = {
    name: string;
    kind: string;
    group?: string;
    version?: string;
    namespaced: boolean;
    singularName: string;
    verbs: string[];
    shortNames?: string[];
    categories?: string[];
  };
  const flat = read<{ resources: Flat[] }>('discovery-core-v1.json').resources;
  const kindOf = ({ group = '', version = '', kind }: Flat) => ({ group, version, kind });
  return flat
    .filter(({ name }) => !name.includes('/'))
    .map((resource) => {
      const subresources = flat
        .filter(({ name }) => name.startsWith(`${resource.name}/`))
        .map((sub) => ({
          subresource: sub.name.slice(resource.name.length + 1),
          verbs: sub.verbs,
          responseKind: kindOf(sub),
        }));
      return {
        resource: resource.name,
        singularResource: resource.singularName,
        scope: resource.namespaced ? 'Namespaced' : 'Cluster',
        verbs: resource.verbs,
        ...(resource.shortNames === undefined ? {} : { shortNames: resource.shortNames }),
        ...(resource.categories === undefined ? {} : { categories: resource.categories }),
        responseKind: kindOf(resource),
        ...(subresources.length === 0 ? {} : { subresources }),
      };
    });
}

function resourceRow(group: string, version: string, resource: DiscoveryResource): ResourceRow {
  const kind = resource.responseKind.kind;
  const object =
    definitionByKind.get(`${group}/${version}/${kind}`) ?? fail(`no definition for ${group}/${version}/${kind}`);
  return {
    group,
    version,
    resource: resource.resource,
    singular: resource.singularResource ?? kind.toLowerCase(),
    kind,
    namespaced: resource.scope === 'Namespaced',
    verbs: resource.verbs,
    ...(resource.shortNames === undefined ? {} : { shortNames: resource.shortNames }),
    ...(resource.categories === undefined ? {} : { categories: resource.categories }),
    object,
    ...(resource.subresources === undefined
      ? {}
      : {
          subresources: resource.subresources.map((sub) => ({
            name: sub.subresource,
            group: sub.responseKind.group || (sub.responseKind.version === version ? group : ''),
            version: sub.responseKind.version || version,
            kind: sub.responseKind.kind,
            verbs: sub.verbs,
          })),
        }),
  };
}
