import { ApiError } from '../errors.ts';
import { withExplicitNulls } from '../explicit-nulls.ts';
import type { JsonObject } from '../meta.ts';
import type { ObjectSchema } from '../schema.ts';
import { type Comparison, compareObjects } from './compare.ts';
import { differenceFields, type FieldTree } from './field-tree.ts';
import { type Manager, ownable } from './managers.ts';

/** A value that is there already, unless somebody outside has to be asked for it. */
export type Awaitable<T> = T | Promise<T>;

/** Goes on with a value, at once if it is there. */
export function andThen<T, U>(value: Awaitable<T>, next: (value: T) => Awaitable<U>): Awaitable<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** A version in which managed fields were written. */
export interface Version {
  readonly schema: ObjectSchema;
  /** Paths that the door of this request does not change: `[['status']]` for the object. */
  readonly resetFields: readonly (readonly string[])[];
}

/**
 * The versions of a kind besides the one of a request: whoever wrote through another version owns fields of that
 * version, and a change is judged there.
 */
export interface Versions {
  /** Undefined: nobody knows such a version any more, and who wrote through it owns nothing. */
  of(apiVersion: string): Version | undefined;
  /** An object, of whatever version it says, in another one. @throws Error when that cannot be done. */
  convert(object: JsonObject, apiVersion: string): Awaitable<JsonObject>;
}

/** What a write changes, as each version sees it; undefined where the version is gone. */
export type ChangesByVersion = ReadonlyMap<string, Comparison | undefined>;

export interface Write {
  readonly before: JsonObject;
  readonly after: JsonObject;
  /** The version of the request. */
  readonly apiVersion: string;
  readonly managers: readonly Manager[];
  readonly versions: Versions | undefined;
}

/** Whether all wrote through one version, as nearly always. */
export function areOfOneVersion(managers: readonly Manager[], apiVersion: string): boolean {
  return managers.every((manager) => manager.apiVersion === apiVersion);
}

/** The changes of a write in the versions of all its managers. @param own what it changes in its own version. */
export function changesByVersion(write: Write, own: Comparison): Awaitable<ChangesByVersion> {
  const changes = new Map<string, Comparison | undefined>([[write.apiVersion, own]]);
  return areOfOneVersion(write.managers, write.apiVersion) ? changes : addOtherVersions(write, changes);
}

async function addOtherVersions(
  { before, after, managers, versions }: Write,
  changes: Map<string, Comparison | undefined>,
): Promise<ChangesByVersion> {
  for (const { apiVersion } of managers) {
    if (changes.has(apiVersion)) continue;
    const version = versions?.of(apiVersion);
    if (version === undefined) {
      changes.set(apiVersion, undefined);
      continue;
    }
    const { schema, resetFields } = version;
    const old = await converted(versions!, before, apiVersion, '');
    const next = await converted(versions!, after, apiVersion, 'failed to convert new object: ');
    const whole = compareObjects(withExplicitNulls(old, schema), withExplicitNulls(next, schema), schema);
    changes.set(apiVersion, ownableChanges(whole, resetFields));
  }
  return changes;
}

/** @throws ApiError 500 with what was tried. */
export async function converted(
  versions: Versions,
  object: JsonObject,
  apiVersion: string,
  what: string,
): Promise<JsonObject> {
  if (object['apiVersion'] === apiVersion) return object;
  try {
    return await versions.convert(object, apiVersion);
  } catch (error) {
    throw new ApiError(500, '', what + (error as Error).message);
  }
}

export function ownableChanges(
  { changed, removed }: Comparison,
  resetFields: readonly (readonly string[])[],
): Comparison {
  return { changed: ownable(changed, resetFields), removed: ownable(removed, resetFields) };
}

/** What a manager owns after somebody else's write; undefined when its version is gone. */
export function fieldsAfter({ fields, apiVersion }: Manager, changes: ChangesByVersion): FieldTree | undefined {
  const change = changes.get(apiVersion);
  return change === undefined ? undefined : differenceFields(differenceFields(fields, change.changed), change.removed);
}
