import { schemaOfKind } from '#kinds/resources.ts';
import { parseLabelSelector } from '#machinery/label-parser.ts';
import { matchesLabels } from '#machinery/labels.ts';
import type { Json, JsonObject } from '#machinery/meta.ts';
import { applyJsonPatch } from '#machinery/patch/json-patch.ts';
import { parseYamlDocuments } from '#machinery/yaml.ts';
import { CliError } from '../failures.ts';
import { metadataOf, withMetadata } from '../manifests/objects.ts';
import type { Patch, Selector } from './kustomization.ts';
import { type Loader, loadFile } from './loader.ts';
import { mergePatch } from './merge.ts';
import {
  allIds,
  currentId,
  type GroupVersionKind,
  idText,
  isSameId,
  originalId,
  type Resource,
  remembered,
  resourceOf,
} from './resource.ts';

type Resources = readonly Resource[];

/** Applies an entry of `patches`: strategic merges, each to the object that it names or to all that are selected, or a JSON patch. */
export function withPatch(resources: Resources, entry: Patch, loader: Loader): Resources {
  const { text, source } = textOf(entry, loader);
  const documents = documentsOf(text, source);
  const isJsonPatch = documents.length === 1 && Array.isArray(documents[0]);
  if (isJsonPatch) return withJsonPatch(resources, documents[0] as Json, entry, source);
  const patches = documents.map((document) => patchOf(document, source));
  if (entry.target === undefined) return patches.reduce((all, patch) => withNamedPatch(all, patch, entry), resources);
  const [patch, ...more] = patches;
  if (patch === undefined) return resources;
  if (more.length > 0) {
    throw new CliError(
      `Multiple Strategic-Merge Patches in one \`patches\` entry is not allowed to set \`patches.target\` field: ${source}`,
    );
  }
  const chosen = new Set(selectResources(resources, entry.target));
  return resources.flatMap((each) => (chosen.has(each) ? merged(each, patch, entry) : [each]));
}

/** Applies `patchesStrategicMerge`, of which each is a file or a text. */
export function withStrategicPatches(resources: Resources, entries: readonly string[], loader: Loader): Resources {
  return entries.reduce((all, entry) => {
    const isInline = entry.includes('\n') || entry.trimStart().startsWith('{');
    return withPatch(all, isInline ? { patch: entry } : { path: entry }, loader);
  }, resources);
}

function textOf({ path, patch = '' }: Patch, loader: Loader): { readonly text: string; readonly source: string } {
  const inline = patch.trim();
  if (inline === '' && (path ?? '') === '') throw new CliError('must specify one of patch and path');
  if (inline !== '' && (path ?? '') !== '') throw new CliError("patch and path can't be set at the same time");
  if (inline !== '') return { text: inline, source: `[patch: ${JSON.stringify(inline)}]` };
  try {
    return { text: loadFile(loader, path!).toString('utf8'), source: `[path: ${JSON.stringify(path)}]` };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    throw new CliError(`failed to get the patch file from path(${path}): ${error.message}`);
  }
}

function documentsOf(text: string, source: string): readonly Json[] {
  try {
    return parseYamlDocuments(text, { booleans: '1.2' });
  } catch {
    throw new CliError(`unable to parse SM or JSON patch from ${source}`);
  }
}

function patchOf(document: Json, source: string): JsonObject {
  const isObject = typeof document === 'object' && document !== null && !Array.isArray(document);
  if (!isObject || typeof (document as JsonObject)['kind'] !== 'string') {
    throw new CliError(`unable to parse SM or JSON patch from ${source}`);
  }
  return document as JsonObject;
}

function withNamedPatch(resources: Resources, patch: JsonObject, entry: Patch): Resources {
  const wanted = currentId(resourceOf(patch));
  const found = resources.filter((resource) => allIds(resource).some((id) => isSameId(id, wanted)));
  if (found.length !== 1) {
    const id = idText(wanted, { namespace: metadataOf(patch).namespace });
    const why = `${found.length === 0 ? 'no' : 'multiple'} matches for Id ${id}; failed to find unique target for patch ${id}`;
    throw new CliError(`no resource matches strategic merge patch "${id}": ${why}`);
  }
  return resources.flatMap((each) => (each === found[0] ? merged(each, patch, entry) : [each]));
}

/** The resource with the patch, under the name that it had unless that may change; nothing when the patch deletes it. */
function merged(resource: Resource, patch: JsonObject, { options = {} }: Patch): Resources {
  const { object } = resource;
  const { allowNameChange = false, allowKindChange = false } = options;
  const result = mergePatch(object, patch, schemaOfKind(String(object['apiVersion']), String(object['kind'])));
  if (result === undefined) return [];
  const before = metadataOf(object);
  const named = withMetadata(result, {
    ...(allowNameChange ? {} : { name: before.name }),
    namespace: before.namespace,
  });
  const { apiVersion, kind } = object;
  const typed = allowKindChange ? { ...named, apiVersion } : { ...named, apiVersion, kind };
  return [{ ...(allowNameChange || allowKindChange ? remembered(resource) : resource), object: typed as JsonObject }];
}

function withJsonPatch(resources: Resources, patch: Json, { target }: Patch, source: string): Resources {
  if (target === undefined) throw new CliError(`must specify a target for JSON patch ${source}`);
  const chosen = new Set(selectResources(resources, target));
  return resources.map((resource) =>
    chosen.has(resource) ? { ...remembered(resource), object: patched(resource.object, patch) } : resource,
  );
}

function patched(object: JsonObject, patch: Json): JsonObject {
  try {
    return applyJsonPatch(object, patch) as JsonObject;
  } catch (error) {
    throw error instanceof Error ? new CliError(error.message) : error;
  }
}

/** The resources that a selector means, by the name that they had in their file or the one of now. */
export function selectResources(resources: Resources, selector: Selector): Resources {
  const { labelSelector = '', annotationSelector = '' } = selector;
  const matches = matcherOf(selector);
  return resources.filter((resource) => {
    const [original, current] = [originalId(resource), currentId(resource)];
    const { labels, annotations } = metadataOf(resource.object);
    return (
      (matches.namespace(original.namespace ?? '') || matches.namespace(current.namespace ?? '')) &&
      (matches.name(original.name) || matches.name(current.name)) &&
      matches.kind(current) &&
      (labelSelector === '' || matchesLabels(parseLabelSelector(labelSelector), labels)) &&
      (annotationSelector === '' || matchesLabels(parseLabelSelector(annotationSelector), annotations))
    );
  });
}

/** Tests of a selector's parts, each a regular expression for the whole text. */
export function matcherOf({ group, version, kind, name, namespace }: Selector) {
  const [ofGroup, ofVersion, ofKind] = [pattern(group), pattern(version), pattern(kind)];
  return {
    kind: (id: GroupVersionKind): boolean => ofGroup(id.group) && ofVersion(id.version) && ofKind(id.kind),
    name: pattern(name),
    namespace: pattern(namespace),
  };
}

function pattern(text = ''): (value: string) => boolean {
  if (text === '') return () => true;
  try {
    const whole = new RegExp(`^(?:${text.replace(/^\^/, '').replace(/\$$/, '')})$`);
    return (value) => whole.test(value);
  } catch (error) {
    throw new CliError(`error parsing regexp: ${(error as Error).message}`);
  }
}
