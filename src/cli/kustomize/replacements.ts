import { parseLabelSelector } from '#machinery/label-parser.ts';
import { matchesLabels } from '#machinery/labels.ts';
import type { Json, JsonObject } from '#machinery/meta.ts';
import { parseYaml } from '#machinery/yaml.ts';
import { CliError } from '../failures.ts';
import { metadataOf, valueAt } from '../manifests/objects.ts';
import type { FieldOptions, Kustomization, Replacement, Selector } from './kustomization.ts';
import { type Loader, loadFile } from './loader.ts';
import { matcherOf } from './patches.ts';
import { allIds, isSelectedBy, type Resource, type ResourceId } from './resource.ts';

type Resources = readonly Resource[];
type Target = NonNullable<Replacement['targets']>[number];

/** Copies values from one object, or from the kustomization, into others. Throws CliError. */
export function withReplacements(
  resources: Resources,
  entries: NonNullable<Kustomization['replacements']>,
  loader: Loader,
): Resources {
  return entries.flatMap((entry) => loaded(entry, loader)).reduce(withReplacement, resources);
}

function loaded(entry: Replacement & { readonly path?: string }, loader: Loader): readonly Replacement[] {
  if (entry.path === undefined) return [entry];
  const content = parseYaml(loadFile(loader, entry.path).toString('utf8'));
  return (Array.isArray(content) ? content : [content]) as readonly Replacement[];
}

function withReplacement(resources: Resources, { source, sourceValue, targets }: Replacement): Resources {
  if ((source === undefined && sourceValue === undefined) || targets === undefined) {
    throw new CliError('replacements must specify a source and at least one target');
  }
  const value = sourceValue ?? sourceOf(resources, source!);
  return targets.reduce((all, target) => withTarget(all, target, value), resources);
}

const defaultPath = 'metadata.name';

function sourceOf(resources: Resources, source: NonNullable<Replacement['source']>): Json {
  const matches = resources.filter((resource) => allIds(resource).some((id) => isMeant(id, source)));
  if (matches.length > 1) throw new CliError(`multiple matches for selector ${describe(source)}`);
  if (matches[0] === undefined) throw new CliError(`nothing selected by ${describe(source)}`);
  const { fieldPath = defaultPath, options } = source;
  const value = at(matches[0].object, splitDots(fieldPath));
  if (value === undefined || value === null || value === '') {
    throw new CliError(
      `fieldPath \`${fieldPath}\` is missing for replacement source ${describe(source).split(':')[0]}`,
    );
  }
  return options?.delimiter === undefined ? value : piece(value, options);
}

const isMeant = (id: ResourceId, { name = '', namespace = '', ...kind }: Selector): boolean =>
  isSelectedBy(id, kind) && (name === '' || name === id.name) && (namespace === '' || namespace === id.namespace);

function describe({
  group = '',
  version = '',
  kind = '',
  name = '',
  namespace = '',
  fieldPath = '',
}: Selector & { readonly fieldPath?: string }): string {
  const or = (text: string, none: string): string => (text === '' ? none : text);
  const id = `${or(kind, '[noKind]')}.${or(version, '[noVer]')}.${or(group, '[noGrp]')}/${or(name, '[noName]')}.${or(namespace, '[noNs]')}`;
  return fieldPath === '' ? id : `${id}:${fieldPath}`;
}

function piece(value: Json, { delimiter = '', index = 0 }: FieldOptions): string {
  if (typeof value === 'object') throw new CliError('delimiter option can only be used with scalar nodes');
  const pieces = String(value).split(delimiter);
  const chosen = pieces[index];
  if (chosen === undefined) throw new CliError(`options.index ${index} is out of bounds for value ${String(value)}`);
  return chosen;
}

function withTarget(resources: Resources, target: Target, value: Json): Resources {
  const { select, reject = [], fieldPaths = [defaultPath], options = {} } = target;
  if (select === undefined) throw new CliError('target must specify resources to select');
  return resources.map((resource) => {
    const isTarget = isSelected(resource, select) && !reject.some((selector) => isSelected(resource, selector));
    if (!isTarget) return resource;
    const object = fieldPaths.reduce((each, path) => withValue(each, path, value, options), resource.object);
    return { ...resource, object };
  });
}

function isSelected(resource: Resource, selector: Selector): boolean {
  const matches = matcherOf(selector);
  const { labels, annotations } = metadataOf(resource.object);
  const { labelSelector = '', annotationSelector = '' } = selector;
  return (
    allIds(resource).some((id) => matches.kind(id) && matches.name(id.name) && matches.namespace(id.namespace ?? '')) &&
    (labelSelector === '' || matchesLabels(parseLabelSelector(labelSelector), labels)) &&
    (annotationSelector === '' || matchesLabels(parseLabelSelector(annotationSelector), annotations))
  );
}

/** Names with dots between them; `[name=web]` chooses an item of a list, `[a.b]` and `\.` hold dots of a name. */
function splitDots(path: string): readonly string[] {
  const steps = path.match(/(?:\[[^\]]*\]|\\.|[^.[\\])+|\[[^\]]*\]/g) ?? [];
  return steps.map((step) => {
    if (/^\[[^=\]]*\]$/.test(step)) return step.slice(1, -1);
    return step.startsWith('[') ? step : step.replaceAll('\\.', '.');
  });
}

function at(object: Json | undefined, path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>((value, step) => {
    const choice = choiceOf(step);
    if (!Array.isArray(value)) return valueAt(value, step);
    if (choice !== undefined) return value.find((item) => String(valueAt(item, choice.key)) === choice.value);
    return /^\d+$/.test(step) ? value[Number(step)] : undefined;
  }, object);
}

function choiceOf(step: string): { readonly key: string; readonly value: string } | undefined {
  const [, key, value] = /^\[([^=]*)=(.*)\]$/.exec(step) ?? [];
  return key === undefined || value === undefined ? undefined : { key, value };
}

function withValue(object: JsonObject, path: string, value: Json, options: FieldOptions): JsonObject {
  let found = 0;
  const set = (old: Json | undefined): Json => {
    found++;
    return options.delimiter === undefined ? copied(old, value) : spliced(old, value, options);
  };
  const changed = setAt(object, splitDots(path), set, options.create === true);
  if (found === 0) {
    const how = options.create === true ? 'find or create' : 'find';
    throw new CliError(`unable to ${how} field ${JSON.stringify(path)} in replacement target`);
  }
  return changed as JsonObject;
}

/** A field keeps its type where text is copied onto it: a port stays a number. */
function copied(old: Json | undefined, value: Json): Json {
  if (typeof old !== 'number' && typeof old !== 'bigint' && typeof old !== 'boolean') {
    return typeof old === 'string' && typeof value !== 'object' ? String(value) : value;
  }
  return typeof value === 'string' ? parseYaml(value) : value;
}

function spliced(old: Json | undefined, value: Json, { delimiter = '', index = 0 }: FieldOptions): string {
  if (typeof old === 'object') throw new CliError('delimiter option can only be used with scalar nodes');
  const pieces = String(old ?? '').split(delimiter);
  if (index < 0) pieces.unshift(String(value));
  else if (index >= pieces.length) pieces.push(String(value));
  else pieces[index] = String(value);
  return pieces.join(delimiter);
}

type SetValue = (old: Json | undefined) => Json;

function setAt(value: Json | undefined, path: readonly string[], set: SetValue, create: boolean): Json | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return set(value);
  if (Array.isArray(value)) return setInList(value, step, rest, set, create);
  if (value !== undefined && value !== null && typeof value !== 'object') return value;
  const choice = choiceOf(step);
  if (choice !== undefined) return create ? setInList([], step, rest, set, create) : value;
  const object = (value ?? {}) as JsonObject;
  if (step === '*') {
    return Object.fromEntries(Object.entries(object).map(([key, below]) => [key, setAt(below, rest, set, create)]));
  }
  if (object[step] === undefined && !create) return value;
  return { ...object, [step]: setAt(object[step], rest, set, create) };
}

function setInList(list: readonly Json[], step: string, rest: readonly string[], set: SetValue, create: boolean): Json {
  const choice = choiceOf(step);
  const isChosen = (item: Json, index: number): boolean =>
    step === '*' ||
    (choice === undefined
      ? /^\d+$/.test(step) && Number(step) === index
      : String(choice.key === '' ? item : valueAt(item, choice.key)) === choice.value);
  const changed = list.map((item, index) => (isChosen(item, index) ? (setAt(item, rest, set, create) ?? item) : item));
  if (!create || choice === undefined || list.some(isChosen)) return changed;
  return [...changed, setAt({ [choice.key]: choice.value }, rest, set, create) ?? null];
}
