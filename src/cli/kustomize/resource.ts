import { resourceRows } from '#kinds/resources.ts';
import { type JsonObject, parseApiVersion } from '#machinery/meta.ts';
import { metadataOf, withMetadata } from '../manifests/objects.ts';

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** What an object is called. The namespace is the effective one: `default` where none is written. */
export interface ResourceId extends GroupVersionKind {
  readonly name: string;
  /** Undefined for kinds of the whole cluster. */
  readonly namespace: string | undefined;
}

/** An object on its way through a build, and what it was called on the way: others refer to it by any such name. */
export interface Resource {
  readonly object: JsonObject;
  /** Names, namespaces and kinds that it had, oldest first. */
  readonly previous: readonly Pick<ResourceId, 'name' | 'namespace' | 'kind'>[];
  readonly prefixes: readonly string[];
  readonly suffixes: readonly string[];
  /** Its name ends in a hash of what it holds. */
  readonly needsHash: boolean;
  readonly behavior: Behavior;
}

/** What a generated object does to one of its name: nothing (there must be none), or a change. */
export type Behavior = 'create' | 'merge' | 'replace';

export function resourceOf(object: JsonObject): Resource {
  return { object, previous: [], prefixes: [], suffixes: [], needsHash: false, behavior: 'create' };
}

export function kindOf({ apiVersion, kind }: JsonObject): GroupVersionKind {
  const { group, version } = parseApiVersion(typeof apiVersion === 'string' ? apiVersion : '');
  return { group, version, kind: typeof kind === 'string' ? kind : '' };
}

const clusterKinds = new Set(
  resourceRows.filter(({ namespaced }) => !namespaced).map(({ group, kind }) => `${kind}.${group}`),
);

/** Kinds that nobody knows belong to a namespace. */
export const isClusterKind = ({ group, kind }: GroupVersionKind): boolean => clusterKinds.has(`${kind}.${group}`);

/** What the object is called now. */
export function currentId({ object }: Resource): ResourceId {
  const kind = kindOf(object);
  const { name = '', namespace = '' } = metadataOf(object);
  return { ...kind, name, namespace: isClusterKind(kind) ? undefined : namespace || 'default' };
}

/** What it was called before, oldest first. */
export function previousIds(resource: Resource): readonly ResourceId[] {
  const kind = kindOf(resource.object);
  return resource.previous.map((id) => ({ ...kind, ...id }));
}

export const allIds = (resource: Resource): readonly ResourceId[] => [...previousIds(resource), currentId(resource)];

/** What it was called in its file. */
export const originalId = (resource: Resource): ResourceId => previousIds(resource)[0] ?? currentId(resource);

/** The resource, which remembers what it is called now. */
export function remembered(resource: Resource): Resource {
  const { name, namespace, kind } = currentId(resource);
  return { ...resource, previous: [...resource.previous, { name, namespace, kind }] };
}

export const isSameId = (left: ResourceId, right: ResourceId): boolean =>
  left.group === right.group &&
  left.version === right.version &&
  left.kind === right.kind &&
  left.name === right.name &&
  left.namespace === right.namespace;

/** Whether a kind is one that a selector means; what the selector leaves empty may be anything. */
export function isSelectedBy(kind: GroupVersionKind, selector: Partial<GroupVersionKind>): boolean {
  const { group = '', version = '', kind: name = '' } = selector;
  return (
    (group === '' || group === kind.group) &&
    (version === '' || version === kind.version) &&
    (name === '' || name === kind.kind)
  );
}

/** `Deployment.v1.apps/web.shop`, as messages name a resource. */
export function idText(id: ResourceId, { namespace = '' }: { readonly namespace?: string | undefined } = {}): string {
  const group = id.group === '' ? '[noGrp]' : id.group;
  return `${id.kind}.${id.version}.${group}/${id.name === '' ? '[noName]' : id.name}.${namespace === '' ? '[noNs]' : namespace}`;
}

export const nameOf = ({ object }: Resource): string => metadataOf(object).name ?? '';
export const namespaceOf = ({ object }: Resource): string => metadataOf(object).namespace ?? '';

export const textOfResource = (resource: Resource): string =>
  idText(currentId(resource), { namespace: namespaceOf(resource) });

export function renamed(resource: Resource, name: string): Resource {
  return { ...resource, object: withMetadata(resource.object, { name }) };
}
