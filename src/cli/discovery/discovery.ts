import { ApiError } from '#machinery/errors.ts';
import { apiVersionOf } from '#machinery/meta.ts';
import type { CommandContext } from '../context.ts';
import { type ResourceInfo, RestMapper } from './mapper.ts';

/** KEP-3352: everything the server serves, in two answers. */
const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;q=0.9';

interface AggregatedList {
  readonly kind?: string;
  readonly items?: readonly {
    readonly metadata?: { readonly name?: string };
    readonly versions?: readonly {
      readonly version: string;
      readonly freshness?: string;
      readonly resources?: readonly AggregatedResource[];
    }[];
  }[];
}

interface AggregatedResource {
  readonly resource: string;
  readonly responseKind?: { readonly group?: string; readonly version?: string; readonly kind?: string };
  readonly scope: 'Namespaced' | 'Cluster';
  readonly singularResource?: string;
  readonly verbs?: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly subresources?: readonly { readonly subresource: string }[];
}

/** Asks what the server serves: the aggregated documents, or one by one where a server does not know them. */
export async function loadDiscovery(context: CommandContext): Promise<RestMapper> {
  const [core, groups] = (await Promise.all([
    context.request({ path: '/api', accept: aggregated }),
    context.request({ path: '/apis', accept: aggregated }),
  ])) as unknown as [AggregatedList, AggregatedList];
  if (core.kind === 'APIGroupDiscoveryList' && groups.kind === 'APIGroupDiscoveryList') {
    return new RestMapper([...fromAggregated(core), ...fromAggregated(groups)]);
  }
  return new RestMapper(await loadOneByOne(context));
}

function fromAggregated(list: AggregatedList): ResourceInfo[] {
  return (list.items ?? []).flatMap((group) =>
    (group.versions ?? []).flatMap(({ version, resources = [] }, rank) =>
      resources
        .filter(({ responseKind }) => responseKind !== undefined && responseKind.kind !== '')
        .map((resource) => ({
          group: group.metadata?.name ?? '',
          version,
          versionRank: rank,
          resource: resource.resource,
          singular: resource.singularResource ?? '',
          kind: resource.responseKind?.kind ?? '',
          namespaced: resource.scope === 'Namespaced',
          verbs: resource.verbs ?? [],
          shortNames: resource.shortNames ?? [],
          categories: resource.categories ?? [],
          subresources: (resource.subresources ?? []).map(({ subresource }) => subresource),
        })),
    ),
  );
}

interface GroupList {
  readonly groups?: readonly {
    readonly name: string;
    readonly versions: readonly { readonly version: string }[];
    readonly preferredVersion?: { readonly version: string };
  }[];
}

interface ResourceList {
  readonly resources?: readonly {
    readonly name: string;
    readonly singularName?: string;
    readonly namespaced: boolean;
    readonly kind: string;
    readonly verbs?: readonly string[];
    readonly shortNames?: readonly string[];
    readonly categories?: readonly string[];
  }[];
}

async function loadOneByOne(context: CommandContext): Promise<ResourceInfo[]> {
  const { groups = [] } = (await context.request({ path: '/apis' })) as unknown as GroupList;
  const places = [
    { group: '', version: 'v1', versionRank: 0 },
    ...groups.flatMap(({ name, versions, preferredVersion }) =>
      [...versions]
        .sort(
          (a, b) => Number(b.version === preferredVersion?.version) - Number(a.version === preferredVersion?.version),
        )
        .map(({ version }, versionRank) => ({ group: name, version, versionRank })),
    ),
  ];
  const lists = await Promise.all(places.map((place) => loadGroupVersion(context, place)));
  return lists.flat();
}

async function loadGroupVersion(
  context: CommandContext,
  place: { readonly group: string; readonly version: string; readonly versionRank: number },
): Promise<ResourceInfo[]> {
  const path = place.group === '' ? `/api/${place.version}` : `/apis/${apiVersionOf(place)}`;
  let list: ResourceList;
  try {
    list = (await context.request({ path })) as unknown as ResourceList;
  } catch (error) {
    // An aggregated API that is down must not hide all the others.
    if (error instanceof ApiError && (error.code === 404 || error.code >= 500)) return [];
    throw error;
  }
  const resources = list.resources ?? [];
  return resources
    .filter(({ name }) => !name.includes('/'))
    .map((resource) => ({
      ...place,
      resource: resource.name,
      singular: resource.singularName ?? '',
      kind: resource.kind,
      namespaced: resource.namespaced,
      verbs: resource.verbs ?? [],
      shortNames: resource.shortNames ?? [],
      categories: resource.categories ?? [],
      subresources: resources
        .filter(({ name }) => name.startsWith(`${resource.name}/`))
        .map(({ name }) => name.slice(resource.name.length + 1)),
    }));
}
