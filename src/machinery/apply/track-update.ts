import { emptyOf } from '../conform.ts';
import { withExplicitNulls } from '../explicit-nulls.ts';
import type { ApiObject, JsonObject, ManagedFieldsEntry } from '../meta.ts';
import type { ObjectSchema } from '../schema.ts';
import { type Emptied, hasEmptiedInList } from '../sent-empty.ts';
import { formatTime } from '../time.ts';
import { type Comparison, compareObjects } from './compare.ts';
import { differenceFields, isEmptyTree, unionFields } from './field-tree.ts';
import { entriesOf, forgetsManagers, isSameManager, type Manager, managersBefore } from './managers.ts';
import { areOddRecords, KeylessItem } from './path-steps.ts';
import {
  type Awaitable,
  andThen,
  areOfOneVersion,
  type ChangesByVersion,
  changesByVersion,
  fieldsAfter,
  ownableChanges,
  type Versions,
} from './versions.ts';

export interface TrackUpdateOptions {
  /** The object before; absent on create. */
  readonly old: ApiObject | undefined;
  /** The object as the client wants it, decoded and defaulted, before admission and strategies change it. */
  readonly new: ApiObject;
  readonly schema: ObjectSchema;
  /** The client's field manager, or the first part of its user agent. */
  readonly manager: string;
  readonly apiVersion: string;
  /** The other versions of the kind; absent when there are none. */
  readonly versions?: Versions | undefined;
  /** '' for the object itself. */
  readonly subresource: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Paths that this door of the API does not change: `[['status']]` for the object, `[['spec'], …]` for its status. */
  readonly resetFields: readonly (readonly string[])[];
  /** Whether the client said an empty list or map, which `new` does not have. */
  readonly emptied?: Emptied | undefined;
}

/**
 * The managed fields of an object after a create, update or patch (KEP-555): what changed belongs to the writer now,
 * what is gone belongs to nobody. Nothing is noted of an object of which nothing was noted before, nor of one that
 * nobody can own parts of. Gives the old entries themselves when nothing changed; a promise only where somebody wrote
 * through another version.
 */
export function trackUpdate(options: TrackUpdateOptions): Awaitable<readonly ManagedFieldsEntry[]> {
  try {
    return tracked(options);
  } catch (error) {
    if (error instanceof KeylessItem) return [];
    throw error;
  }
}

function tracked(options: TrackUpdateOptions): Awaitable<readonly ManagedFieldsEntry[]> {
  const { schema, apiVersion, versions, old, subresource } = options;
  // Through a part of an object nobody changes the record itself.
  const said = subresource === '' ? options.new.metadata : undefined;
  if (old !== undefined && said !== undefined && forgetsManagers(said)) return [];
  const { managers, entries } = managersBefore(said, old?.metadata);
  // What was not kept track of from its creation is so only once somebody applies it.
  if (old !== undefined && managers.length === 0) return [];
  const was = (options.old ?? emptyOf(schema)) as JsonObject;
  const is = withoutOddRecords(options.new) as unknown as JsonObject;
  const before = withExplicitNulls(without(was, is), schema);
  const after = withExplicitNulls(without(is, was), schema, { keepsEmpty: true });
  const own = ownableChanges(compareObjects(before, after, schema, touchedBy(options)), options.resetFields);
  const isUnchanged = isEmptyTree(own.changed) && isEmptyTree(own.removed);
  const isOfOneVersion = areOfOneVersion(managers, apiVersion);
  if (isUnchanged && isOfOneVersion) return entries;
  const result = (changes: ChangesByVersion) => entriesOf(managersAfter(options, managers, own, changes));
  if (isOfOneVersion) return result(new Map([[apiVersion, own]]));
  const whole = { before: withExplicitNulls(was, schema), after: withExplicitNulls(is, schema, { keepsEmpty: true }) };
  return andThen(changesByVersion({ ...whole, apiVersion, managers, versions }, own), result);
}

/** The members that are not the other's very own: a write through the status shares the rest with what was there. */
function without(object: JsonObject, other: JsonObject): JsonObject {
  const isShared = (name: string): boolean => typeof object[name] === 'object' && object[name] === other[name];
  if (!Object.keys(object).some(isShared)) return object;
  return Object.fromEntries(Object.entries(object).filter(([name]) => !isShared(name))) as JsonObject;
}

/** Upstream compares lists in atomic values to the last member, and what was sent empty is not kept. */
function touchedBy({ emptied }: TrackUpdateOptions): ((atom: unknown) => boolean) | undefined {
  return emptied?.isAny === true ? (atom) => hasEmptiedInList(atom) : undefined;
}

/** What the object itself says of its owners is looked at elsewhere. */
function withoutOddRecords(object: ApiObject): ApiObject {
  if (!areOddRecords(object.metadata.managedFields)) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

function managersAfter(
  options: TrackUpdateOptions,
  managers: readonly Manager[],
  { changed, removed }: Comparison,
  changes: ChangesByVersion,
): readonly Manager[] {
  const { manager, apiVersion, subresource, now } = options;
  const writer = { manager, operation: 'Update', apiVersion, subresource };
  const after: Manager[] = [];
  let isKnown = isEmptyTree(changed);
  for (const one of managers) {
    if (!isKnown && isSameManager(one, writer)) {
      isKnown = true;
      // Mostly it owns what it changes already, and its fields stay the very same.
      const fields = unionFields(differenceFields(one.fields, removed), changed);
      after.push({ ...one, fields, time: formatTime(now) });
      continue;
    }
    const fields = fieldsAfter(one, changes);
    if (fields !== undefined) after.push({ ...one, fields });
  }
  if (!isKnown) after.push({ ...writer, time: formatTime(now), fields: changed });
  return after;
}
