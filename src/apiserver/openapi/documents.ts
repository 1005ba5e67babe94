import { expectedKind } from '../http/decode.ts';
import { versionInfo } from '../http/version.ts';
import type { ServedResource } from '../resources/resource.ts';
import { customListName } from './custom.ts';
import { openApi2, openApi3 } from './dialect.ts';
import { publishedName } from './names.ts';
import { PathWriter } from './paths.ts';
import { type Descriptions, type OpenApiObject, TypeCollector } from './types.ts';

const info = { title: 'Kubernetes', version: versionInfo.gitVersion };

/** Which forms of bodies are spoken besides those that always are. */
export interface DocumentForms {
  readonly cbor: boolean;
}

const jsonForms: DocumentForms = { cbor: false };

/** Every resource in one document: what older clients read. */
export function openApi2Document(
  resources: readonly ServedResource[],
  describe: Descriptions,
  forms: DocumentForms = jsonForms,
): OpenApiObject {
  const types = new TypeCollector(openApi2, describe);
  const paths = new PathWriter(openApi2, types, forms);
  for (const resource of resources) paths.add(resource);
  nameKinds(types, resources);
  const security = {
    BearerToken: { type: 'apiKey', name: 'authorization', in: 'header', description: 'Bearer token' },
  };
  return {
    swagger: '2.0',
    info,
    paths: paths.paths,
    definitions: sorted(types.definitions),
    securityDefinitions: security,
    security: [{ BearerToken: [] }],
  };
}

/** The resources of one group and version. */
export function openApi3Document(
  resources: readonly ServedResource[],
  describe: Descriptions,
  forms: DocumentForms = jsonForms,
): OpenApiObject {
  const types = new TypeCollector(openApi3, describe);
  const paths = new PathWriter(openApi3, types, forms);
  for (const resource of resources) paths.add(resource);
  nameKinds(types, resources);
  const securitySchemes = {
    BearerToken: { type: 'apiKey', name: 'authorization', in: 'header', description: 'Bearer token' },
  };
  return {
    openapi: '3.0.0',
    info,
    paths: paths.paths,
    components: { schemas: sorted(types.definitions), securitySchemes },
  };
}

/** Types that are kinds say so: that is how clients find the type of what they send. */
function nameKinds({ definitions }: TypeCollector, resources: readonly ServedResource[]): void {
  const groups = new Set(resources.map(({ kind }) => `${kind.group}/${kind.version}`));
  for (const resource of resources) {
    const { kind, schema } = resource;
    for (const name of resource.subresources.keys()) {
      const sent = expectedKind(resource, name);
      groups.add(`${sent.group}/${sent.version}`);
      const place = { group: sent.group, version: sent.version, kind: sent.kind };
      if (sent.kind !== kind.kind) mark(definitions.get(publishedName(sent.schema.name)), [place]);
    }
    const { group, version } = kind;
    if (resource.custom !== undefined) {
      const { published } = resource.custom;
      mark(definitions.get(published.name), [{ group, version, kind: kind.kind }]);
      mark(definitions.get(customListName(published)), [{ group, version, kind: published.listKind }]);
      continue;
    }
    mark(definitions.get(publishedName(schema.name)), [{ group, version, kind: kind.kind }]);
    mark(definitions.get(publishedName(`${schema.name}List`)), [{ group, version, kind: `${kind.kind}List` }]);
  }
  for (const meta of ['DeleteOptions', 'Status'] as const) {
    const everywhere = [...groups].map((path) => ({
      group: path.split('/')[0],
      version: path.split('/')[1],
      kind: meta,
    }));
    const kinds = meta === 'Status' ? [{ group: '', version: 'v1', kind: 'Status' }] : everywhere;
    mark(definitions.get(publishedName(`meta.v1.${meta}`)), kinds);
  }
}

function mark(definition: OpenApiObject | undefined, kinds: readonly object[]): void {
  if (definition !== undefined) definition['x-kubernetes-group-version-kind'] = kinds;
}

function sorted(definitions: ReadonlyMap<string, OpenApiObject>): OpenApiObject {
  return Object.fromEntries([...definitions].sort(([left], [right]) => (left < right ? -1 : 1)));
}
