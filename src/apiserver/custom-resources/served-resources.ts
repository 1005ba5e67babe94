import type {
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionVersion,
} from '#kinds/generated/types/apiextensions_v1.ts';
import type { Kind } from '#kinds/kind.ts';
import type { SubresourceRow } from '#kinds/resources.ts';
import { compareVersions } from '../aggregation/priorities.ts';
import type { ResourceCache } from '../cache/resource-cache.ts';
import { customName } from '../openapi/names.ts';
import type { CustomVersion } from '../resources/custom-form.ts';
import type { ResourceStorage, ServedResource } from '../resources/resource.ts';
import { columnsOf } from './columns.ts';
import type { ConvertObjects } from './conversion/convert.ts';
import { customRules } from './custom-rules.ts';
import { versionForm } from './form.ts';
import type { RuleEngine } from './rules-hook.ts';
import { scalePaths } from './scale.ts';
import { type StructuralNode, structuralNode } from './structural/node.ts';
import { topologyOf } from './structural/topology.ts';
import { versionChange } from './version-change.ts';

export interface DefinedKind {
  readonly definition: CustomResourceDefinition;
  readonly names: CustomResourceDefinitionNames;
  readonly cache: ResourceCache;
  readonly prefix: string;
  readonly convert: ConvertObjects | undefined;
  readonly rules: RuleEngine;
}

const verbs: ReadonlySet<string> = new Set([
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'create',
  'update',
  'watch',
]);

/** The resources of a definition: one for each version that is served. */
export function servedResources(defined: DefinedKind): readonly ServedResource[] {
  const { definition, cache, prefix } = defined;
  const { versions } = definition.spec;
  const kept = versions.find(({ storage }) => storage) ?? versions[0]!;
  const storage: ResourceStorage = { kind: kindOf(defined, kept.name), prefix, cache };
  const shapes = new Map(versions.map((version) => [version.name, shapeOf(defined, version)]));
  return versions.filter(({ served }) => served).map((version) => servedVersion(defined, version, storage, shapes));
}

/** What a version's objects look like, whether it is served or not. */
interface Shape extends CustomVersion {
  readonly root: StructuralNode;
}

function shapeOf(defined: DefinedKind, version: CustomResourceDefinitionVersion): Shape {
  const keepsAll = defined.definition.spec.preserveUnknownFields === true;
  const props = version.schema?.openAPIV3Schema;
  const root = structuralNode(keepsAll ? { ...props, 'x-kubernetes-preserve-unknown-fields': true } : (props ?? {}));
  const others = Object.keys(props?.properties ?? {}).filter((field) => !['status', 'metadata'].includes(field));
  return {
    root,
    schema: topologyOf(root, customName(kindOf(defined, version.name))),
    hasStatus: version.subresources?.status !== undefined,
    statusResets: [['metadata'], ...others.map((field) => [field])],
  };
}

function kindOf({ definition, names }: DefinedKind, version: string): Kind {
  const { group, scope } = definition.spec;
  return { group, version, kind: names.kind, resource: names.plural, namespaced: scope === 'Namespaced' };
}

function servedVersion(
  defined: DefinedKind,
  version: CustomResourceDefinitionVersion,
  storage: ResourceStorage,
  shapes: ReadonlyMap<string, Shape>,
): ServedResource {
  const { definition, names, rules, convert } = defined;
  const kind = kindOf(defined, version.name);
  const { root, schema } = shapes.get(version.name)!;
  const scale = scalePaths(version.subresources?.scale);
  return {
    kind,
    groupResource: `${kind.group}/${kind.resource}`,
    singular: names.singular ?? '',
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    verbs,
    schema,
    rules: customRules({ kind, version, root, rules: rules.compile(root), scale }),
    subresources: subresourcesOf(kind, version),
    columns: columnsOf(version.additionalPrinterColumns).columns,
    storage,
    deprecation:
      version.deprecated === true
        ? (version.deprecationWarning ?? deprecationOf(kind, definition.spec.versions))
        : undefined,
    custom: {
      ...versionForm({ root, group: kind.group, version: kind.version, storageVersion: storage.kind.version, convert }),
      ...versionChange(kind.group, shapes, convert),
      scale,
      isTerminating: definition.metadata.deletionTimestamp !== undefined,
      published: {
        name: customName(kind),
        plural: kind.resource,
        listKind: names.listKind ?? `${kind.kind}List`,
        props: version.schema?.openAPIV3Schema,
        selectable: (version.selectableFields ?? []).map(({ jsonPath }) => jsonPath.replace(/^\./, '')),
      },
    },
  };
}

/** With the best newer version to use instead, if there is one. */
function deprecationOf({ group, version, kind }: Kind, versions: readonly CustomResourceDefinitionVersion[]): string {
  const newer = versions
    .filter((other) => other.served && other.deprecated !== true && compareVersions(other.name, version) < 0)
    .map(({ name }) => name)
    .sort(compareVersions);
  const advice = newer.length === 0 ? '' : `; use ${group}/${newer[0]} ${kind}`;
  return `${group}/${version} ${kind} is deprecated${advice}`;
}

function subresourcesOf(
  { group, version, kind }: Kind,
  { subresources }: CustomResourceDefinitionVersion,
): ReadonlyMap<string, SubresourceRow> {
  const rows = new Map<string, SubresourceRow>();
  const accessed = ['get', 'patch', 'update'];
  if (subresources?.status !== undefined) rows.set('status', { name: 'status', group, version, kind, verbs: accessed });
  if (subresources?.scale !== undefined)
    rows.set('scale', { name: 'scale', group: 'autoscaling', version: 'v1', kind: 'Scale', verbs: accessed });
  return rows;
}
