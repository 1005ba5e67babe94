import type { Json, JsonObject } from '#machinery/meta.ts';
import { parseYamlDocuments } from '#machinery/yaml.ts';
import { CliError } from '../failures.ts';
import { metadataOf, withMetadata } from '../manifests/objects.ts';
import { generate, withContentHash } from './generators.ts';
import { isComponent, type Kustomization, readKustomization } from './kustomization.ts';
import { type Loader, loadFile, openBelow, openFolder, refuseRemote } from './loader.ts';
import { inOrder } from './order.ts';
import { withPatch, withStrategicPatches } from './patches.ts';
import { withReferences } from './references.ts';
import { withReplacements } from './replacements.ts';
import { allIds, currentId, isSameId, type Resource, resourceOf, textOfResource } from './resource.ts';
import {
  withAnnotations,
  withImages,
  withLabels,
  withNamespace,
  withPrefix,
  withReplicas,
  withSuffix,
} from './transformers.ts';

export interface BuildOptions {
  /** Files may be anywhere, not only below the folder of their kustomization. */
  readonly allowsOutsideFiles?: boolean;
  /** Told of deprecated fields. */
  readonly warn?: (text: string) => void;
}

type Warn = (text: string) => void;
type Resources = readonly Resource[];

/** The objects that the kustomization of a folder comes to, in order. Throws CliError. */
export function buildKustomization(folder: string, options: BuildOptions = {}): readonly JsonObject[] {
  const warn = options.warn ?? (() => {});
  const loader = openFolder(folder, options.allowsOutsideFiles !== true);
  const kustomization = readKustomization(loader.root, warn);
  const built = accumulate([], kustomization, loader, warn);
  const hashed = built.map((resource) => (resource.needsHash ? withContentHash(resource) : resource));
  return inOrder(withReferences(hashed), kustomization.sortOptions)
    .map(withoutEmptyAnnotations)
    .filter((object) => metadataOf(object).annotations?.['config.kubernetes.io/local-config'] !== 'true');
}

/** Upstream keeps its notes on a resource in annotations, and takes these away as a whole where nothing else is left. */
function withoutEmptyAnnotations({ object, previous }: Resource): JsonObject {
  const { annotations } = metadataOf(object);
  const isEmpty = annotations !== undefined && annotations !== null && Object.keys(annotations).length === 0;
  return isEmpty && previous.length > 0 ? withMetadata(object, { annotations: undefined }) : object;
}

/** What a kustomization makes of the resources before it: its own join them, then it changes all. */
function accumulate(before: Resources, kustomization: Kustomization, loader: Loader, warn: Warn): Resources {
  let resources = before;
  for (const path of kustomization.resources ?? []) {
    try {
      resources = withRead(resources, path, loader, warn);
    } catch (error) {
      throw prefixed('accumulating resources', error);
    }
  }
  resources = withGenerated(resources, kustomization, loader);
  for (const path of kustomization.components ?? []) {
    try {
      const below = openBelow(loader, path);
      resources = accumulate(resources, readComponent(below, warn), below, warn);
    } catch (error) {
      throw error instanceof CliError
        ? new CliError(`accumulating components: accumulateDirectory: ${JSON.stringify(error.message)}`)
        : error;
    }
  }
  return transform(resources, kustomization, loader);
}

function prefixed(prefix: string, error: unknown): unknown {
  return error instanceof CliError ? new CliError(`${prefix}: ${error.message}`) : error;
}

/** Adds the resources of a file, or what the kustomization of a folder comes to. */
function withRead(resources: Resources, path: string, loader: Loader, warn: Warn): Resources {
  refuseRemote(path);
  let whyNoFile: CliError;
  try {
    return withFile(resources, path, loader);
  } catch (error) {
    if (!(error instanceof CliError) || error instanceof MalformedError) throw error;
    whyNoFile = error;
  }
  try {
    const below = openBelow(loader, path);
    const kustomization = readTarget(below, warn);
    return append(
      resources,
      within(below, () => accumulate([], kustomization, below, warn)),
    );
  } catch (error) {
    throw prefixed(`accumulation err='${whyNoFile.message}'`, error);
  }
}

function withFile(resources: Resources, path: string, loader: Loader): Resources {
  let added: Resources;
  try {
    added = readResources(path, loader);
  } catch (error) {
    if (error instanceof MalformedError)
      throw new MalformedError(`accumulating resources from '${path}': ${error.message}`);
    throw prefixed(`accumulating resources from '${path}'`, error);
  }
  try {
    return append(resources, added);
  } catch (error) {
    throw prefixed(`merging resources from '${path}'`, error);
  }
}

function within(loader: Loader, run: () => Resources): Resources {
  try {
    return run();
  } catch (error) {
    throw prefixed(`recursed accumulation of path '${loader.root}'`, error);
  }
}

/** A file that is there but is no YAML, so that it can be no folder either. */
class MalformedError extends CliError {}

function readResources(path: string, loader: Loader): Resources {
  const text = loadFile(loader, path).toString('utf8');
  let documents: readonly Json[];
  try {
    documents = parseYamlDocuments(text, { booleans: '1.2' });
  } catch (error) {
    throw new MalformedError(`MalformedYAMLError: ${(error as Error).message} in File: ${path}`);
  }
  return documents.flatMap((document) => objectsOf(document, path)).map(resourceOf);
}

function objectsOf(document: Json, path: string): readonly JsonObject[] {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new CliError(`invalid Kubernetes object in ${path}`);
  }
  const object = document as JsonObject;
  const { kind, items } = object;
  if (typeof kind !== 'string' || kind === '') {
    throw new CliError(`missing Resource metadata`);
  }
  if (kind.endsWith('List') && Array.isArray(items)) return items.flatMap((item) => objectsOf(item as Json, path));
  if ((metadataOf(object).name ?? '') === '' && kind !== 'List') {
    throw new CliError(`missing metadata.name in object {${JSON.stringify(object).slice(1, -1)}}`);
  }
  return [object];
}

function readTarget(loader: Loader, warn: Warn): Kustomization {
  try {
    const kustomization = readKustomization(loader.root, warn);
    if (!isComponent(kustomization)) return kustomization;
  } catch (error) {
    throw prefixed(`couldn't make target for path '${loader.root}'`, error);
  }
  throw new CliError(`expected kind != 'Component' for path '${loader.root}'`);
}

function readComponent(loader: Loader, warn: Warn): Kustomization {
  const kustomization = readKustomization(loader.root, warn);
  if (isComponent(kustomization)) return kustomization;
  throw new CliError(
    `expected kind 'Component' for path '${loader.root}' but got '${kustomization.kind ?? 'Kustomization'}'`,
  );
}

function append(resources: Resources, added: Resources): Resources {
  const all = [...resources];
  for (const resource of added) {
    const id = currentId(resource);
    if (all.some((other) => isSameId(currentId(other), id))) {
      throw new CliError(`may not add resource with an already registered id: ${textOfResource(resource)}`);
    }
    all.push(resource);
  }
  return all;
}

function withGenerated(resources: Resources, kustomization: Kustomization, loader: Loader): Resources {
  const { configMapGenerator = [], secretGenerator = [], generatorOptions } = kustomization;
  const generated = [
    ...configMapGenerator.map((entry) => generate(loader, 'ConfigMap', entry, generatorOptions)),
    ...secretGenerator.map((entry) => generate(loader, 'Secret', entry, generatorOptions)),
  ];
  return generated.reduce(absorb, resources);
}

/** A generated object joins the others, or changes the one of its name. */
function absorb(resources: Resources, added: Resource): Resources {
  const id = currentId(added);
  const matches = resources.filter((resource) => allIds(resource).some((other) => isSameId(other, id)));
  const [old] = matches;
  const text = textOfResource(added);
  if (old === undefined) {
    if (added.behavior === 'create') return append(resources, [added]);
    throw new CliError(`merging from generator: id ${text} does not exist; cannot merge or replace`);
  }
  if (matches.length > 1) {
    throw new CliError(`merging from generator: found multiple objects that could accept merge of ${text}`);
  }
  if (added.behavior === 'create') {
    throw new CliError(
      `merging from generator: id ${text} exists; can not use behavior: 'create', behavior must be merge or replace`,
    );
  }
  const merged: Resource = {
    ...old,
    object: mergedObject(old.object, added),
    needsHash: added.needsHash && old.needsHash,
  };
  return resources.map((resource) => (resource === old ? merged : resource));
}

function mergedObject(old: JsonObject, { object, behavior }: Resource): JsonObject {
  const [before, now] = [metadataOf(old), metadataOf(object)];
  const both = (key: 'labels' | 'annotations') => {
    const pairs = { ...before[key], ...now[key] };
    return Object.keys(pairs).length === 0 ? undefined : pairs;
  };
  const named = withMetadata(object, {
    name: before.name,
    namespace: before.namespace,
    labels: both('labels'),
    annotations: both('annotations'),
  });
  if (behavior === 'replace') return named;
  const data = (key: 'data' | 'binaryData') => {
    const pairs = { ...((old[key] ?? {}) as JsonObject), ...((object[key] ?? {}) as JsonObject) };
    return Object.keys(pairs).length === 0 ? {} : { [key]: pairs };
  };
  return { ...named, ...data('data'), ...data('binaryData') };
}

/** Everything that a kustomization does to its resources, in kustomize's order. */
function transform(resources: Resources, kustomization: Kustomization, loader: Loader): Resources {
  const { patches = [], patchesStrategicMerge = [], patchesJson6902 = [], replacements = [] } = kustomization;
  const { namespace = '', namePrefix = '', nameSuffix = '', commonAnnotations = {} } = kustomization;
  const { replicas = [], images = [] } = kustomization;
  const withEach = (all: Resources, entries: typeof patches): Resources =>
    entries.reduce((each, entry) => withPatch(each, entry, loader), all);
  let all = withStrategicPatches(resources, patchesStrategicMerge, loader);
  all = withEach(all, patches);
  all = withNamespace(all, namespace);
  all = withPrefix(all, namePrefix);
  all = withSuffix(all, nameSuffix);
  all = withLabels(all, kustomization);
  all = withAnnotations(all, commonAnnotations);
  all = withEach(all, patchesJson6902);
  all = withReplicas(all, replicas);
  all = withImages(all, images);
  return withReplacements(all, replacements, loader);
}
