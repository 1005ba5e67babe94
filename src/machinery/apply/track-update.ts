import { emptyOf } from '../conform.ts';
import { withExplicitNulls } from '../explicit-nulls.ts';
import type { ApiObject, JsonObject, ManagedFieldsEntry } from '../meta.ts';
import type { ObjectSchema } from '../schema.ts';
import { formatTime } from '../time.ts';
import { compareObjects } from './compare.ts';
import { differenceFields, isEmptyTree, unionFields } from './field-tree.ts';
import { entriesOf, isSameManager, type Manager, managersBefore, ownable } from './managers.ts';

export interface TrackUpdateOptions {
  /** The object before; absent on create. */
  readonly old: ApiObject | undefined;
  /** The object as the client wants it, decoded and defaulted, before admission and strategies change it. */
  readonly new: ApiObject;
  readonly schema: ObjectSchema;
  /** The client's field manager, or the first part of its user agent. */
  readonly manager: string;
  readonly apiVersion: string;
  /** '' for the object itself. */
  readonly subresource: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Paths that this door of the API does not change: `[['status']]` for the object, `[['spec'], …]` for its status. */
  readonly resetFields: readonly (readonly string[])[];
}

/**
 * The managed fields of an object after a create, update or patch (KEP-555): what changed belongs to the writer now,
 * what is gone belongs to nobody. Gives the old entries themselves when nothing changed.
 */
export function trackUpdate(options: TrackUpdateOptions): readonly ManagedFieldsEntry[] {
  const { managers, entries } = managersBefore(options.new.metadata, options.old?.metadata);
  const { schema } = options;
  const before = withExplicitNulls((options.old ?? emptyOf(schema)) as JsonObject, schema);
  const after = withExplicitNulls(options.new, schema) as unknown as JsonObject;
  const comparison = compareObjects(before, after, schema);
  const changed = ownable(comparison.changed, options.resetFields);
  const removed = ownable(comparison.removed, options.resetFields);
  if (isEmptyTree(changed) && isEmptyTree(removed)) return entries;
  const writer = { ...options, operation: 'Update' };
  const result: Manager[] = [];
  let isKnown = false;
  for (const manager of managers) {
    const rest = differenceFields(manager.fields, removed);
    if (!isEmptyTree(changed) && isSameManager(manager, writer)) {
      isKnown = true;
      result.push({ ...manager, fields: unionFields(rest, changed), time: formatTime(options.now) });
    } else {
      result.push({ ...manager, fields: differenceFields(rest, changed) });
    }
  }
  if (!isKnown && !isEmptyTree(changed)) {
    const { manager, apiVersion, subresource } = options;
    result.push({
      manager,
      operation: 'Update',
      apiVersion,
      subresource,
      time: formatTime(options.now),
      fields: changed,
    });
  }
  return entriesOf(result);
}
