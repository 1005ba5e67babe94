import { type ConformResult, conform, DecodeError, emptyOf } from '../conform.ts';
import { equalValues } from '../equality.ts';
import { ApiError, badRequest, GoMap, goJson } from '../errors.ts';
import { withExplicitNulls } from '../explicit-nulls.ts';
import type { ApiObject, Json, JsonObject, ManagedFieldsEntry } from '../meta.ts';
import type { ObjectSchema } from '../schema.ts';
import { type Emptied, withEmptied } from '../sent-empty.ts';
import { formatTime } from '../time.ts';
import { conformUnstructured } from '../unstructured.ts';
import { type Comparison, compareObjects } from './compare.ts';
import { type Conflict, conflictError } from './conflicts.ts';
import { fieldsOf } from './field-set.ts';
import { differenceFields, intersectFields, isEmptyTree, noFields, pathsOf, withoutPaths } from './field-tree.ts';
import { allowedByLastApplied, lastAppliedAnnotation } from './last-applied.ts';
import { differInTimesOnly, entriesOf, isSameManager, type Manager, managersBefore, ownable } from './managers.ts';
import { mergeApplied } from './merge.ts';
import { KeylessItem } from './path-steps.ts';
import { prune } from './prune.ts';
import { sameValues } from './same-values.ts';
import { inOneText, typeProblems } from './typed.ts';
import {
  type Awaitable,
  andThen,
  type ChangesByVersion,
  changesByVersion,
  fieldsAfter,
  ownableChanges,
  type Versions,
} from './versions.ts';

export interface ApplyOptions {
  /** The stored object; absent when the apply creates it. */
  readonly live: ApiObject | undefined;
  /** The applied configuration, parsed but not conformed. */
  readonly patch: JsonObject;
  readonly schema: ObjectSchema;
  /** Takes the place of `conform` for kinds whose schema decides in another way. */
  readonly conform?: (value: Json) => ConformResult;
  readonly manager: string;
  /** Takes fields that others own. */
  readonly force: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** '' for the object itself. */
  readonly subresource: string;
  readonly apiVersion: string;
  readonly kind: string;
  /** In whose words conflicts are told, where not in those of `apiVersion`. */
  readonly seenAs?: string | undefined;
  /** The other versions of the kind; absent when there are none. */
  readonly versions?: Versions | undefined;
  /** Paths that this door of the API does not change: `[['status']]` for the object, `[['spec'], …]` for its status. */
  readonly resetFields: readonly (readonly string[])[];
  /** Is told where an empty list or map was left out. */
  readonly emptied?: Emptied | undefined;
}

/**
 * Server-side apply (KEP-555): the live object with what the configuration says, without what this manager applied
 * before and no longer does, and with managed fields to match. A promise only where managers wrote through different
 * versions of the kind. Throws ApiError: 409 with the fields that belong to others, 400 and 500 for a configuration that
 * does not fit its type.
 */
export function applyPatch(options: ApplyOptions): Awaitable<ApiObject> {
  checkConfiguration(options);
  try {
    const write = prepared(options);
    return andThen(prunedObject(write), (object) =>
      andThen(changesOf(write, object), (changes) => finished(write, object, changes)),
    );
  } catch (error) {
    if (!(error instanceof KeylessItem)) throw error;
    throw failure(options.patch, 'failed to create typed live object', error.message);
  }
}

/** @throws ApiError 400, 500 for a configuration that does not fit its type. */
export function checkConfiguration({
  patch,
  schema,
  apiVersion,
  kind,
  conform,
}: Pick<ApplyOptions, 'patch' | 'schema' | 'apiVersion' | 'kind' | 'conform'>): void {
  const type = gvkText(textOf(patch['apiVersion']), textOf(patch['kind']));
  if (type !== gvkText(apiVersion, kind)) throw badRequest(`invalid object type: ${type}`);
  const managedFields = (patch['metadata'] as JsonObject | null | undefined)?.['managedFields'];
  if (isListOfEntries(managedFields, schema)) throw badRequest('metadata.managedFields must be nil');
  const undeclared = conform === undefined ? [] : unknownFields(conform, patch);
  const problems = [...undeclared, ...typeProblems(patch, schema, conform === undefined)];
  if (problems.length > 0) throw failure(patch, `failed to create typed patch object`, inOneText(problems));
}

/** What cannot be decoded at all is for the merged object to tell. */
function unknownFields(conform: (value: Json) => ConformResult, patch: JsonObject): readonly string[] {
  try {
    return conform(patch).unknown.map((path) => `.${path}: field not declared in schema`);
  } catch (error) {
    if (error instanceof DecodeError) return [];
    throw error;
  }
}

/** Entries that are none are for the type to refuse. */
function isListOfEntries(value: Json | undefined, { fields }: ObjectSchema): boolean {
  if (!Array.isArray(value)) return false;
  const metadata = fields.get('metadata')?.schema;
  const entries = metadata?.type === 'object' ? metadata.fields.get('managedFields')?.schema : undefined;
  try {
    if (entries !== undefined) conform(value, entries);
    return true;
  } catch {
    return false;
  }
}

/** `apps/v1, Kind=Deployment`; what names no group and version names no kind either. */
function gvkText(apiVersion: string, kind: string): string {
  if (apiVersion.split('/').length > 2) return '/, Kind=';
  return `${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${kind}`;
}

/** A 500 that names the configuration: its namespace, name and type. */
function failure(patch: JsonObject, what: string, why: string, rest = ''): ApiError {
  const { namespace, name } = (patch['metadata'] ?? {}) as { readonly namespace?: Json; readonly name?: Json };
  const type = gvkText(String(patch['apiVersion']), String(patch['kind']));
  return new ApiError(500, '', `${what} (${textOf(namespace)}/${textOf(name)}; ${type})${rest}: ${why}`);
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** All that is known before anything is merged. */
interface Apply {
  readonly options: ApplyOptions;
  readonly live: JsonObject;
  /** The entries of the live object. */
  readonly entries: readonly ManagedFieldsEntry[];
  /** What this manager applied last. */
  readonly previous: Manager | undefined;
  readonly others: readonly Manager[];
  /** This manager with what it applies now. */
  readonly self: Manager;
}

function prepared(options: ApplyOptions): Apply {
  const { schema, resetFields, apiVersion, subresource, manager, patch } = options;
  const live = withExplicitNulls((options.live ?? emptyOf(schema)) as unknown as JsonObject, schema);
  const { managers: known, entries } = managersBefore(undefined, options.live?.metadata);
  const managers = known.length === 0 && options.live !== undefined ? managersOfUntracked(options, live) : known;
  const said = withoutPaths(fieldsOf(patch, schema), resetFields);
  const self = { manager, operation: 'Apply', apiVersion, subresource, time: undefined, fields: said };
  const previous = managers.find((other) => isSameManager(other, self));
  return { options, live, entries, previous, self, others: managers.filter((other) => other !== previous) };
}

/** Whoever wrote an object that nobody kept track of owns all of it, as one manager. */
function managersOfUntracked(options: ApplyOptions, live: JsonObject): readonly Manager[] {
  const { schema, resetFields, apiVersion, subresource, now } = options;
  const { changed } = compareObjects(withExplicitNulls(emptyOf(schema) as JsonObject, schema), live, schema);
  const fields = ownable(changed, resetFields);
  const manager = { manager: 'before-first-apply', operation: 'Update', apiVersion, subresource };
  return isEmptyTree(fields) ? [] : [{ ...manager, time: formatTime(now), fields }];
}

function prunedObject({ options, live, previous, others, self }: Apply): Awaitable<JsonObject> {
  const { patch, schema, apiVersion, versions } = options;
  const merged = mergeApplied(live, patch, schema);
  return prune({ merged, previous, owners: [self, ...others], apiVersion, schema, versions });
}

interface Changes {
  /** All of it, what nobody can own included. */
  readonly whole: Comparison;
  readonly byVersion: ChangesByVersion;
}

function changesOf({ options, live, others }: Apply, after: JsonObject): Awaitable<Changes> {
  const { schema, resetFields, apiVersion, versions } = options;
  const whole = compareObjects(live, after, schema);
  const write = { before: live, after, apiVersion, managers: others, versions };
  const own = ownableChanges(whole, resetFields);
  return andThen(changesByVersion(write, own), (byVersion) => ({ whole, byVersion }));
}

function finished(apply: Apply, after: JsonObject, { whole, byVersion }: Changes): ApiObject {
  const { options, live, entries, previous, others, self } = apply;
  if (!options.force) refuseConflicts(options, conflictsWith(others, byVersion));
  const isUnchanged = isEmptyTree(whole.changed) && isEmptyTree(whole.removed) && sameValues(live, after);
  // Who only says what is there already has changed nothing, and has no time of a change.
  const time = isUnchanged && options.live !== undefined ? previous?.time : formatTime(options.now);
  const managers: Manager[] = [{ ...self, time, fields: ownable(self.fields, []) }];
  for (const other of others) {
    const fields = fieldsAfter(other, byVersion);
    if (fields !== undefined) managers.push({ ...other, fields });
  }
  const object = withLastApplied(decoded(options, after), options);
  const now = entriesOf(managers);
  // What changes nothing but times leaves no trace.
  return withEntries(object, differInTimesOnly(now, entries) && equalValues(object, live) ? entries : now);
}

function conflictsWith(others: readonly Manager[], changes: ChangesByVersion): readonly Conflict[] {
  return others
    .map((manager) => {
      const changed = changes.get(manager.apiVersion)?.changed ?? noFields;
      return { manager, fields: intersectFields(manager.fields, changed) };
    })
    .filter(({ fields }) => !isEmptyTree(fields));
}

/** @throws ApiError 409, unless these are fields that `kubectl apply` owned on the client's side: they become its own. */
function refuseConflicts({ live, manager, schema, seenAs }: ApplyOptions, conflicts: readonly Conflict[]): void {
  if (conflicts.length === 0) return;
  const annotation = live?.metadata.annotations?.[lastAppliedAnnotation];
  if (manager !== 'kubectl' || annotation === undefined) throw conflictError(conflicts, seenAs);
  const allowed = allowedByLastApplied(live as unknown as JsonObject, annotation, schema);
  const left = conflicts
    .map((conflict) => ({ ...conflict, fields: differenceFields(conflict.fields, allowed) }))
    .filter(({ fields }) => pathsOf(fields).length > 0);
  if (left.length > 0) throw conflictError(left, seenAs);
}

function decoded({ conform, schema, patch, emptied }: ApplyOptions, object: JsonObject): JsonObject {
  try {
    return (conform?.(object) ?? conformUnstructured(object, schema, { emptied })).value as JsonObject;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const type = gvkText(String(patch['apiVersion']), String(patch['kind']));
    const why = `unable to convert unstructured object to ${type}: ${error.message}`;
    throw failure(patch, 'failed to convert new object', why, ' to proper version');
  }
}

/** An object that `kubectl apply` once wrote keeps its annotation up to date, so that it may be used again. */
function withLastApplied(object: JsonObject, { manager, live, patch }: ApplyOptions): JsonObject {
  if (manager !== 'kubectl' || live?.metadata.annotations?.[lastAppliedAnnotation] === undefined) return object;
  const metadata = object['metadata'] as JsonObject;
  const annotations = {
    ...(metadata['annotations'] as JsonObject),
    [lastAppliedAnnotation]: `${goJson(asGoMap(patch))}\n`,
  };
  return withEmptied({ ...object, metadata: { ...metadata, annotations } }, object);
}

/** With the members of every object in order, as Go writes maps. */
function asGoMap(value: Json): unknown {
  if (Array.isArray(value)) return value.map((item: Json) => asGoMap(item));
  if (typeof value !== 'object' || value === null) return value;
  return new GoMap(Object.fromEntries(Object.entries(value).map(([name, member]) => [name, asGoMap(member as Json)])));
}

function withEntries(object: JsonObject, entries: readonly ManagedFieldsEntry[]): ApiObject {
  const { managedFields: before, ...metadata } = (object['metadata'] ?? {}) as ApiObject['metadata'];
  const managedFields = before !== undefined && equalValues(before, entries) ? before : entries;
  const isNone = managedFields.length === 0;
  const whole = { ...object, metadata: isNone ? metadata : { ...metadata, managedFields } };
  return withEmptied(whole, object) as unknown as ApiObject;
}
