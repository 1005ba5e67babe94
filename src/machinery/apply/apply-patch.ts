import { type ConformResult, conform, DecodeError, emptyOf } from '../conform.ts';
import { equalValues } from '../equality.ts';
import { ApiError, badRequest } from '../errors.ts';
import { stringifyJson } from '../json.ts';
import type { ApiObject, Json, JsonObject, ManagedFieldsEntry } from '../meta.ts';
import type { ObjectSchema } from '../schema.ts';
import { formatTime } from '../time.ts';
import { compareObjects } from './compare.ts';
import { type Conflict, conflictError } from './conflicts.ts';
import { fieldsOf } from './field-set.ts';
import {
  differenceFields,
  type FieldTree,
  intersectFields,
  isEmptyTree,
  noFields,
  pathsOf,
  unionFields,
} from './field-tree.ts';
import { allowedByLastApplied, lastAppliedAnnotation } from './last-applied.ts';
import { entriesOf, isSameManager, keepWhenSame, type Manager, managersBefore, ownable } from './managers.ts';
import { mergeApplied, removeFields } from './merge.ts';
import { withNamedParents } from './named-parents.ts';
import { inOneText, typeProblems } from './typed.ts';

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
  /** Paths that this door of the API does not change: `[['status']]` for the object, `[['spec'], …]` for its status. */
  readonly resetFields: readonly (readonly string[])[];
}

/**
 * Server-side apply (KEP-555): the live object with what the configuration says, without what this manager applied
 * before and no longer does, and with managed fields to match. Throws ApiError: 409 with the fields that belong to
 * others, 400 and 500 for a configuration that does not fit its type.
 */
export function applyPatch(options: ApplyOptions): ApiObject {
  const applied = checkedConfiguration(options);
  try {
    return apply(options, applied, options.force);
  } catch (error) {
    const annotation = options.live?.metadata.annotations?.[lastAppliedAnnotation];
    const isUpgrade = options.manager === 'kubectl' && annotation !== undefined && error instanceof ConflictsFound;
    if (!isUpgrade) throw error instanceof ConflictsFound ? conflictError(error.conflicts) : error;
    // Fields that `kubectl apply` owned on the client's side may become its own on the server's side.
    const allowed = allowedByLastApplied(options.live as unknown as JsonObject, annotation, options.schema);
    const conflicts = error.conflicts
      .map((conflict) => ({ ...conflict, fields: differenceFields(conflict.fields, allowed) }))
      .filter(({ fields }) => pathsOf(fields).length > 0);
    if (conflicts.length > 0) throw conflictError(conflicts);
    return apply(options, applied, true);
  }
}

class ConflictsFound extends Error {
  readonly conflicts: readonly Conflict[];

  constructor(conflicts: readonly Conflict[]) {
    super('apply conflicts');
    this.conflicts = conflicts;
  }
}

function checkedConfiguration({ patch, schema, apiVersion, ...options }: ApplyOptions): JsonObject {
  const { metadata, apiVersion: named } = patch as { readonly metadata?: JsonObject; readonly apiVersion?: unknown };
  if ((metadata?.['managedFields'] as readonly unknown[] | undefined)?.length) {
    throw badRequest('metadata.managedFields must be nil');
  }
  if (named !== undefined && named !== apiVersion) {
    const message = `Incorrect version specified in apply patch. Specified patch version: ${named}, expected: ${apiVersion}`;
    throw badRequest(message);
  }
  const failure = (what: string): ApiError => {
    const { namespace, name } = (metadata ?? {}) as { readonly namespace?: string; readonly name?: string };
    const version = apiVersion.includes('/') ? apiVersion : `/${apiVersion}`;
    const id = `${namespace ?? ''}/${name ?? ''}; ${version}, Kind=${patch['kind']}`;
    return new ApiError(500, '', `failed to create typed patch object (${id}): ${what}`);
  };
  const require = (problems: readonly string[]): void => {
    if (problems.length > 0) throw failure(inOneText(problems));
  };
  try {
    if (options.conform === undefined) {
      require(typeProblems(patch, schema, true));
      return conform(patch, schema, { partial: true }).value as JsonObject;
    }
    const { value, unknown } = options.conform(patch);
    const undeclared = unknown.map((path) => `.${path}: field not declared in schema`);
    require([...undeclared, ...typeProblems(value as JsonObject, schema)]);
    return value as JsonObject;
  } catch (error) {
    throw error instanceof DecodeError ? failure(error.message) : error;
  }
}

function apply(options: ApplyOptions, applied: JsonObject, force: boolean): ApiObject {
  const { schema, resetFields, apiVersion, subresource, manager } = options;
  const live = (options.live ?? emptyOf(schema)) as unknown as JsonObject;
  const { managers: before, entries } = managersBefore(undefined, options.live?.metadata);
  const self = { manager, operation: 'Apply', apiVersion, subresource };
  const said = fieldsOf(applied, schema);
  const owned = ownable(said, resetFields);
  const previous = before.find((other) => isSameManager(other, self));
  const others = before.filter((other) => other !== previous);
  const merged = mergeApplied(live, applied, schema);
  const pruned = prune(merged, previous?.fields ?? noFields, [said, ...others.map(({ fields }) => fields)], schema);
  const object = (options.conform?.(pruned) ?? conform(pruned, schema)).value as JsonObject;
  const comparison = compareObjects(live, object, schema);
  const changed = ownable(comparison.changed, resetFields);
  const removed = ownable(comparison.removed, resetFields);
  const conflicts = others
    .map((other) => ({ manager: other, fields: intersectFields(other.fields, changed) }))
    .filter(({ fields }) => !isEmptyTree(fields));
  if (conflicts.length > 0 && !force) throw new ConflictsFound(conflicts);
  const after: Manager[] = others.map((other) => ({
    ...other,
    fields: differenceFields(differenceFields(other.fields, changed), removed),
  }));
  const isUnchanged = isEmptyTree(comparison.changed) && isEmptyTree(comparison.removed);
  // Who only says what is there already has changed nothing, and has no time of a change.
  const time = isUnchanged && options.live !== undefined ? previous?.time : formatTime(options.now);
  after.push({ ...self, time, fields: owned });
  return withEntries(withLastApplied(object, applied, options), keepWhenSame(entriesOf(after), entries));
}

/**
 * Takes out what this manager applied before, does not apply now, and nobody else owns. A name that is said keeps the
 * metadata, though nobody owns a name.
 */
function prune(merged: JsonObject, last: FieldTree, owners: readonly FieldTree[], schema: ObjectSchema): JsonObject {
  if (isEmptyTree(last)) return merged;
  const owned = owners.reduce(unionFields, noFields);
  const gone = differenceFields(withNamedParents(last), withNamedParents(owned));
  return isEmptyTree(gone) ? merged : removeFields(merged, gone, schema);
}

/** An object that `kubectl apply` once wrote keeps its annotation up to date, so that it may be used again. */
function withLastApplied(object: JsonObject, applied: JsonObject, { manager, live }: ApplyOptions): JsonObject {
  if (manager !== 'kubectl' || live?.metadata.annotations?.[lastAppliedAnnotation] === undefined) return object;
  const metadata = object['metadata'] as JsonObject;
  const annotations = {
    ...(metadata['annotations'] as JsonObject),
    [lastAppliedAnnotation]: `${stringifyJson(applied)}\n`,
  };
  return { ...object, metadata: { ...metadata, annotations } };
}

function withEntries(object: JsonObject, entries: readonly ManagedFieldsEntry[]): ApiObject {
  const { managedFields: before, ...metadata } = (object['metadata'] ?? {}) as ApiObject['metadata'];
  const managedFields = before !== undefined && equalValues(before, entries) ? before : entries;
  const isNone = managedFields.length === 0;
  return { ...object, metadata: isNone ? metadata : { ...metadata, managedFields } } as unknown as ApiObject;
}
