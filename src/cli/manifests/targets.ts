import { parseLabelSelector } from '#machinery/label-parser.ts';
import { matchesLabels } from '#machinery/labels.ts';
import type { JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../context.ts';
import { NoKindError, objectLabel, type ResourceInfo, resourcePath } from '../discovery/mapper.ts';
import { CliError } from '../failures.ts';
import type { FlagValues } from '../flags.ts';
import { parseResourceArguments } from '../resources/arguments.ts';
import { fetchObjects, isNotFound } from '../resources/fetch.ts';
import { checkTexts, type fileFlags, type Manifest, readManifests } from '../resources/files.ts';
import { placeManifest } from '../resources/place.ts';
import { metadataOf } from './objects.ts';

export type FileFlags = FlagValues<typeof fileFlags>;

/** An object that a command works on. */
export interface Target {
  readonly info: ResourceInfo;
  /** Undefined for what belongs to no namespace. */
  readonly namespace: string | undefined;
  readonly name: string;
  /** As it stands in the manifest, or as the server has it; absent when only its name is known. */
  readonly object?: JsonObject | undefined;
  /** The manifest that it came from. */
  readonly source?: string | undefined;
}

/** A target whose object is there. */
export type LoadedTarget = Target & { readonly object: JsonObject };

/** What the command line chose: what was found, and why the rest was not. */
export interface Selection<Item extends Target = Target> {
  readonly targets: readonly Item[];
  readonly problems: readonly unknown[];
}

/** `deployment.apps/web`. */
export const targetLabel = ({ info, name }: Pick<Target, 'info' | 'name'>): string => objectLabel(info, name);

export const targetPath = ({ info, namespace, name }: Target, subresource?: string): string =>
  resourcePath(info, { namespace, name, subresource });

export interface SelectOptions {
  /** TYPE NAME…, TYPE/NAME…, TYPE[,TYPE] with a selector or `all`. */
  readonly args: readonly string[];
  readonly files?: FileFlags | undefined;
  readonly selector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** Every object of the types. */
  readonly all?: boolean | undefined;
  readonly allNamespaces?: boolean | undefined;
  /** What arguments without a type name. */
  readonly defaultType?: string | undefined;
}

/** Flags of verbs that choose among many objects. */
interface SelectionFlags extends FileFlags {
  readonly selector: string | undefined;
  readonly 'field-selector': string | undefined;
  readonly all: boolean;
  readonly 'all-namespaces': boolean;
}

/** What such a verb's arguments and flags choose. */
export function selectionOf(args: readonly string[], flags: SelectionFlags): SelectOptions {
  const { selector, 'field-selector': fieldSelector, all, 'all-namespaces': allNamespaces } = flags;
  return { args, files: flags, selector, fieldSelector, all, allNamespaces };
}

const noResources = `You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'`;

export const hasFiles = (files: FileFlags | undefined): files is FileFlags =>
  files !== undefined && (files.filename.length > 0 || (files.kustomize ?? '') !== '');

/** What commands that take no pairs without resources say, rather than `noResources`. */
export const namedResources = 'one or more resources must be specified as <resource> <name> or <resource>/<name>';

/** Throws CliError where the command line names neither resources nor files. */
export function requireResources(resources: readonly string[], files: FileFlags, why = noResources): void {
  if (resources.length === 0 && !hasFiles(files)) throw new CliError(why);
}

/** Resolves arguments, selectors and files to names. Throws CliError for what makes no sense as a whole. */
export async function selectTargets(context: CommandContext, options: SelectOptions): Promise<Selection> {
  if (!hasFiles(options.files)) return { targets: await argumentTargets(context, options), problems: [] };
  if (options.args.length > 0) {
    throw new CliError(
      'when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well',
    );
  }
  return manifestTargets(context, options.files);
}

/** As `selectTargets`, and each object as the server has it. */
export async function loadTargets(context: CommandContext, options: SelectOptions): Promise<Selection<LoadedTarget>> {
  const { targets, problems } = await selectTargets(context, options);
  const loaded: LoadedTarget[] = [];
  const failures = [...problems];
  for (const target of targets) {
    try {
      const isLoaded = target.source === undefined && target.object !== undefined;
      loaded.push(isLoaded ? (target as LoadedTarget) : await loadTarget(context, target));
    } catch (error) {
      failures.push(error);
    }
  }
  return { targets: loaded, problems: failures };
}

/** The one object that the arguments name, as the server has it. Throws CliError and ApiError. */
export async function loadOne(context: CommandContext, options: SelectOptions): Promise<LoadedTarget> {
  const { targets, problems } = await loadTargets(context, options);
  throwProblems(problems);
  const [target] = targets;
  if (target === undefined) throw new CliError('no objects were found');
  return target;
}

/** The objects of `-f`, with their resources and namespaces; those that the server does not know are problems. */
export async function manifestTargets(context: CommandContext, files: FileFlags): Promise<Selection<LoadedTarget>> {
  const targets: LoadedTarget[] = [];
  const problems: unknown[] = [];
  for (const manifest of await readManifests(context, files)) {
    try {
      targets.push(await manifestTarget(context, manifest));
    } catch (error) {
      problems.push(error);
    }
  }
  return { targets, problems };
}

/** Those of the manifests that a label selector takes. */
export function selectedTargets(targets: readonly LoadedTarget[], selector = ''): readonly LoadedTarget[] {
  if (selector === '') return targets;
  const parsed = parseLabelSelector(selector);
  return targets.filter(({ object }) => matchesLabels(parsed, metadataOf(object).labels));
}

export async function manifestTarget(context: CommandContext, manifest: Manifest): Promise<LoadedTarget> {
  const { object, source } = manifest;
  checkTexts(manifest);
  try {
    return { ...(await placeManifest(context, object)), source };
  } catch (error) {
    if (!(error instanceof NoKindError)) throw error;
    const { name = '', namespace = '' } = metadataOf(object);
    throw new CliError(
      `resource mapping not found for name: "${name}" namespace: "${namespace}" from "${source}": ${error.message}\nensure CRDs are installed first`,
    );
  }
}

async function argumentTargets(context: CommandContext, options: SelectOptions): Promise<readonly Target[]> {
  const { selector = '', fieldSelector = '', all = false, defaultType } = options;
  const isSelected = selector !== '' || fieldSelector !== '';
  if (all && selector !== '') throw new CliError("setting 'all' parameter but found a non empty selector. ");
  const isTyped = defaultType === undefined || options.args.some((arg) => arg.includes('/'));
  const args = isTyped ? options.args : [defaultType, ...options.args];
  if (args.length === 0) throw new CliError(noResources);
  const { targets } = parseResourceArguments(await context.mapper(), args);
  const found = targets.map(async ({ info, name }): Promise<readonly Target[]> => {
    if (name !== undefined && isSelected) throw new CliError('name cannot be provided when a selector is specified');
    if (name !== undefined) return [{ info, namespace: info.namespaced ? context.namespace() : undefined, name }];
    if (!isSelected && !all) throw new CliError('resource(s) were provided, but no name was specified');
    return listTargets(context, info, options);
  });
  return (await Promise.all(found)).flat();
}

/** All objects of a resource that the selectors let through. */
async function listTargets(
  context: CommandContext,
  info: ResourceInfo,
  { selector, fieldSelector, allNamespaces }: Pick<SelectOptions, 'selector' | 'fieldSelector' | 'allNamespaces'>,
): Promise<readonly LoadedTarget[]> {
  const namespace = info.namespaced && allNamespaces !== true ? context.namespace() : undefined;
  const objects = await fetchObjects(context, { info, namespace, labelSelector: selector, fieldSelector });
  return objects.map((object) => {
    const { name = '', namespace: itsNamespace } = metadataOf(object);
    return { info, namespace: itsNamespace, name, object };
  });
}

/** The target with the object as the server has it. Throws ApiError. */
async function loadTarget(context: CommandContext, target: Target): Promise<LoadedTarget> {
  return { ...target, object: await context.request({ path: targetPath(target) }) };
}

/** The object as the server has it, or undefined when there is none. */
export async function loadIfPresent(context: CommandContext, target: Target): Promise<JsonObject | undefined> {
  try {
    return await context.request({ path: targetPath(target) });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Ends a command whose parts failed: one failure as it is, several together. */
export function throwProblems(problems: readonly unknown[]): void {
  if (problems.length === 1) throw problems[0];
  if (problems.length > 1) throw new AggregateError(problems);
}

/** Runs `visit` for each target, carrying on after failures, then fails with all of them. */
export async function visitTargets<Item extends Target>(
  selection: Selection<Item>,
  visit: (target: Item) => Promise<void>,
): Promise<void> {
  const problems = [...selection.problems];
  for (const target of selection.targets) {
    try {
      await visit(target);
    } catch (error) {
      problems.push(error);
    }
  }
  throwProblems(problems);
}
