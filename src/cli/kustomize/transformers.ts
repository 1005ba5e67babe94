import { equalValues } from '#machinery/equality.ts';
import type { Json, JsonObject } from '#machinery/meta.ts';
import { CliError } from '../failures.ts';
import { withMetadata } from '../manifests/objects.ts';
import * as tables from './field-tables.ts';
import { changeField, type FieldSpec, specsFor } from './fields.ts';
import type { Image, Kustomization, Label } from './kustomization.ts';
import {
  allIds,
  currentId,
  isClusterKind,
  isSameId,
  isSelectedBy,
  kindOf,
  nameOf,
  originalId,
  type Resource,
  remembered,
  renamed,
} from './resource.ts';

type Resources = readonly Resource[];

/** Puts everything into a namespace that can be in one. Throws CliError where two objects become one. */
export function withNamespace(resources: Resources, namespace: string): Resources {
  if (namespace === '') return resources;
  const moved = resources.map((resource) => {
    const { object } = remembered(resource);
    const kind = kindOf(object);
    const inside = isClusterKind(kind) ? object : withMetadata(object, { namespace });
    const specs = specsFor(kind, tables.namespaces).filter(
      ({ path }) => path !== 'metadata/name' || object['apiVersion'] === 'v1',
    );
    const changed = specs.reduce((each, spec) => changeField(each, spec, () => namespace), inside);
    return { ...remembered(resource), object: withDefaultAccounts(changed, namespace) };
  });
  for (const resource of moved) {
    const id = currentId(resource);
    if (moved.filter((other) => isSameId(currentId(other), id)).length > 1) {
      throw new CliError(`namespace transformation produces ID conflict: ${id.kind}/${id.name}`);
    }
  }
  return moved;
}

/** Bindings name the default account of the namespace that they are in. */
function withDefaultAccounts(object: JsonObject, namespace: string): JsonObject {
  const { kind, subjects } = object;
  if ((kind !== 'RoleBinding' && kind !== 'ClusterRoleBinding') || !Array.isArray(subjects)) return object;
  const moved = subjects.map((subject) => {
    const { name } = subject as JsonObject;
    return name === 'default' ? { ...(subject as JsonObject), namespace } : subject;
  });
  return { ...object, subjects: moved };
}

/** Kinds whose names mean something else besides. */
const keepNames = [
  { kind: 'CustomResourceDefinition' },
  { group: 'apiregistration.k8s.io', kind: 'APIService' },
  { kind: 'Namespace' },
];

const keepsName = (resource: Resource): boolean =>
  keepNames.some((selector) => isSelectedBy(originalId(resource), selector));

export function withPrefix(resources: Resources, prefix: string): Resources {
  if (prefix === '') return resources;
  return resources.map((resource) =>
    keepsName(resource)
      ? resource
      : {
          ...renamed(remembered(resource), `${prefix}${nameOf(resource)}`),
          prefixes: [...resource.prefixes, prefix],
        },
  );
}

export function withSuffix(resources: Resources, suffix: string): Resources {
  if (suffix === '') return resources;
  return resources.map((resource) =>
    keepsName(resource)
      ? resource
      : {
          ...renamed(remembered(resource), `${nameOf(resource)}${suffix}`),
          suffixes: [...resource.suffixes, suffix],
        },
  );
}

export function withLabels(resources: Resources, { labels = [], commonLabels = {} }: Kustomization): Resources {
  const each = labels.reduce((all, label) => withPairs(all, label.pairs ?? {}, fieldsOf(label)), resources);
  return withPairs(each, commonLabels, tables.commonLabels);
}

function fieldsOf(label: Label): readonly FieldSpec[] {
  const own = label.fields ?? [];
  if (label.includeSelectors === true) return [...own, ...tables.commonLabels];
  return [...own, ...(label.includeTemplates === true ? tables.templateLabels : []), ...tables.metadataLabels];
}

export const withAnnotations = (resources: Resources, pairs: Readonly<Record<string, string>>): Resources =>
  withPairs(resources, pairs, tables.annotations);

function withPairs(
  resources: Resources,
  pairs: Readonly<Record<string, string>>,
  fields: readonly FieldSpec[],
): Resources {
  if (Object.keys(pairs).length === 0) return resources;
  const add = (value: Json | undefined): Json => ({ ...((value ?? {}) as JsonObject), ...pairs });
  return changeFields(resources, fields, add);
}

function changeFields(
  resources: Resources,
  fields: readonly FieldSpec[],
  change: (value: Json | undefined) => Json | undefined,
): Resources {
  return resources.map((resource) => ({
    ...resource,
    object: specsFor(kindOf(resource.object), fields).reduce(
      (object, spec) => changeField(object, spec, change),
      resource.object,
    ),
  }));
}

export function withReplicas(resources: Resources, replicas: NonNullable<Kustomization['replicas']>): Resources {
  return replicas.reduce((all, { name = '', count = 0 }) => {
    const matches = (resource: Resource, spec: FieldSpec): boolean =>
      allIds(resource).some((id) => id.name === name && isSelectedBy(id, spec));
    if (!all.some((resource) => tables.replicas.some((spec) => matches(resource, spec)))) {
      const kinds = tables.replicas.map(({ kind }) => `${kind}.[noVer].[noGrp]`).join(' ');
      throw new CliError(`resource with name ${name} does not match a config with the following GVK [${kinds}]`);
    }
    return all.map((resource) => {
      const specs = tables.replicas.filter((spec) => matches(resource, spec));
      const object = specs.reduce((each, spec) => changeField(each, spec, () => count), resource.object);
      return equalValues(object, resource.object) ? resource : { ...resource, object };
    });
  }, resources);
}

export const withImages = (resources: Resources, images: readonly Image[]): Resources =>
  images.reduce(
    (all, image) => changeImagesEverywhere(all, (text) => (typeof text === 'string' ? replaced(text, image) : text)),
    resources,
  );

/** In the fields that the table names, and in any list of containers of kinds that nobody knows. */
function changeImagesEverywhere(
  resources: Resources,
  change: (value: Json | undefined) => Json | undefined,
): Resources {
  return changeFields(resources, tables.images, change).map((resource) =>
    resource.object['kind'] === 'CustomResourceDefinition'
      ? resource
      : { ...resource, object: changeContainers(resource.object, change) as JsonObject },
  );
}

function changeContainers(value: Json, change: (value: Json | undefined) => Json | undefined): Json {
  if (Array.isArray(value)) return value.map((item) => changeContainers(item as Json, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value as JsonObject).map(([key, below]) => {
      if (below === undefined) return [key, below];
      if ((key !== 'containers' && key !== 'initContainers') || !Array.isArray(below))
        return [key, changeContainers(below, change)];
      const containers = below.map((container) => {
        const isObject = typeof container === 'object' && container !== null && !Array.isArray(container);
        const { image } = isObject ? (container as JsonObject) : {};
        return typeof image === 'string' ? { ...(container as JsonObject), image: change(image) ?? image } : container;
      });
      return [key, containers];
    }),
  );
}

function replaced(text: string, { name = '', newName = '', newTag = '', tagSuffix = '', digest = '' }: Image): string {
  const pattern = new RegExp(`^${name}(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?$`);
  if (!pattern.test(text)) return text;
  const parts = imageParts(text);
  const version =
    newTag !== ''
      ? { tag: newTag, digest }
      : digest !== ''
        ? { tag: '', digest }
        : tagSuffix !== ''
          ? { tag: `${parts.tag}${tagSuffix}`, digest: '' }
          : parts;
  const tagged = version.tag === '' ? '' : `:${version.tag}`;
  return `${newName || parts.name}${tagged}${version.digest === '' ? '' : `@${version.digest}`}`;
}

/** A colon before the first slash belongs to the registry's port. */
function imageParts(text: string): { readonly name: string; readonly tag: string; readonly digest: string } {
  const slash = Math.max(text.indexOf('/'), 0);
  const [, path = '', tag = '', digest = ''] = /^([^:@]*)(?::([^@]*))?(?:@(.*))?$/.exec(text.slice(slash)) ?? [];
  return { name: `${text.slice(0, slash)}${path}`, tag, digest };
}
