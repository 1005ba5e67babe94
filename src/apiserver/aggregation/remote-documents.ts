import { parseJson } from '#machinery/json.ts';
import type { Json, JsonObject } from '#machinery/meta.ts';
import type { RemoteServer } from './remote-server.ts';

/** How long an aggregated server may take to tell of itself. */
const timeoutMs = 10_000;
const aggregatedAccept =
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json';

/** What one version of a remote group holds, as aggregated discovery says it (KEP-3352). */
export interface RemoteVersion {
  readonly version: string;
  readonly resources: readonly Json[];
}

/** What the server offers in a group and version. @throws Error when it does not say. */
export async function fetchDiscovery(remote: RemoteServer): Promise<RemoteVersion> {
  const { group = '', version = '' } = remote.spec;
  const { status, body } = await remote.fetch('/apis', aggregatedAccept, timeoutMs);
  if (status === 200) {
    const document = parseJson(body) as JsonObject;
    const found = document['kind'] === 'APIGroupDiscoveryList' ? versionIn(document, group, version) : undefined;
    if (found !== undefined) return found;
  }
  const list = await remote.fetch(`/apis/${group}/${version}`, 'application/json', timeoutMs);
  if (list.status !== 200) throw new Error(`bad status from /apis/${group}/${version}: ${list.status}`);
  return { version, resources: nested(parseJson(list.body) as unknown as ResourceList, group, version) };
}

function versionIn(document: JsonObject, group: string, wanted: string): RemoteVersion | undefined {
  const groups = (document['items'] ?? []) as readonly JsonObject[];
  const found = groups.find((item) => (item['metadata'] as JsonObject | undefined)?.['name'] === group);
  const versions = (found?.['versions'] ?? []) as readonly JsonObject[];
  const version = versions.find((item) => item['version'] === wanted);
  return version === undefined
    ? undefined
    : { version: wanted, resources: (version['resources'] ?? []) as readonly Json[] };
}

interface ResourceList {
  readonly resources?: readonly {
    readonly name: string;
    readonly singularName?: string;
    readonly namespaced: boolean;
    readonly kind: string;
    readonly group?: string;
    readonly version?: string;
    readonly verbs: readonly string[];
    readonly shortNames?: readonly string[];
    readonly categories?: readonly string[];
  }[];
}

/** The flat list of older servers, with subresources inside their resources. */
function nested({ resources = [] }: ResourceList, group: string, version: string): readonly Json[] {
  return resources
    .filter(({ name }) => !name.includes('/'))
    .map((resource) => {
      const subresources = resources
        .filter(({ name }) => name.startsWith(`${resource.name}/`))
        .map((inner) => ({
          subresource: inner.name.slice(resource.name.length + 1),
          responseKind: { group: inner.group ?? group, version: inner.version ?? version, kind: inner.kind },
          verbs: inner.verbs,
        }));
      return {
        resource: resource.name,
        responseKind: { group: resource.group ?? group, version: resource.version ?? version, kind: resource.kind },
        scope: resource.namespaced ? 'Namespaced' : 'Cluster',
        singularResource: resource.singularName ?? '',
        verbs: resource.verbs,
        ...(resource.shortNames === undefined ? {} : { shortNames: resource.shortNames }),
        ...(resource.categories === undefined ? {} : { categories: resource.categories }),
        ...(subresources.length === 0 ? {} : { subresources }),
      };
    });
}

/** What the server publishes of its types; undefined where it publishes none. */
export interface RemoteOpenApi {
  readonly v2: JsonObject | undefined;
  /** Of the group and version. */
  readonly v3: Buffer | undefined;
}

export async function fetchOpenApi(remote: RemoteServer): Promise<RemoteOpenApi> {
  const { group = '', version = '' } = remote.spec;
  const get = async (path: string): Promise<Buffer | undefined> => {
    const { status, body } = await remote.fetch(path, 'application/json', timeoutMs);
    return status === 200 ? body : undefined;
  };
  const [v2, v3] = await Promise.all([
    get('/openapi/v2').catch(() => undefined),
    get(`/openapi/v3/apis/${group}/${version}`).catch(() => undefined),
  ]);
  return { v2: v2 === undefined ? undefined : (parseJson(v2) as JsonObject), v3 };
}
