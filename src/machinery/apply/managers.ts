import type { JsonFields } from '../conform.ts';
import { equalValues } from '../equality.ts';
import type { ManagedFieldsEntry, ObjectMeta } from '../meta.ts';
import { type FieldTree, isEmptyTree, noFields, unionFields, withoutPaths } from './field-tree.ts';
import { sharedTree } from './shared-trees.ts';

/** One writer of an object, and the fields it owns. */
export interface Manager {
  readonly manager: string;
  readonly operation: string;
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string | undefined;
  readonly fields: FieldTree;
  /** What it was read from: as good as new while nothing of it changes. */
  readonly entry?: ManagedFieldsEntry;
}

/** How many updaters an object remembers; older ones become one. */
const maximumUpdaters = 10;
const forgottenUpdaters = 'ancient-changes';

/** Fields of every object, and of the metadata, that nobody owns. */
const unownedFields = new Set(['f:apiVersion', 'f:kind']);
const unownedMetadata = new Set([
  '.',
  'f:name',
  'f:namespace',
  'f:creationTimestamp',
  'f:selfLink',
  'f:uid',
  'f:clusterName',
  'f:generation',
  'f:managedFields',
  'f:resourceVersion',
]);

/** Without what nobody owns and without the fields that this door of the API does not change. */
export function ownable(fields: FieldTree, resetFields: readonly (readonly string[])[]): FieldTree {
  const tree = withoutPaths(fields, resetFields);
  // Most changes are in none of these.
  if (!special.some((step) => Object.hasOwn(tree, step))) return tree;
  const kept = without(tree, unownedFields);
  const metadata = kept['f:metadata'] as FieldTree | undefined;
  if (metadata === undefined) return kept;
  const owned = without(metadata, unownedMetadata);
  if (isEmptyTree(owned)) return without(kept, unownedNames);
  kept['f:metadata'] = owned;
  return kept;
}

const unownedNames = new Set(['f:metadata']);
const special = [...unownedFields, ...unownedNames];

/** A copy of the other members: an object that members are deleted from is slow to read and takes more memory. */
function without(node: FieldTree, steps: ReadonlySet<string>): JsonFields {
  const kept: JsonFields = {};
  for (const step in node) if (!steps.has(step)) kept[step] = node[step]!;
  return kept;
}

/**
 * The managers that a write starts from: what the new object says, if it says anything readable, else what the old
 * one had.
 */
export function managersBefore(
  after: ObjectMeta | undefined,
  before: ObjectMeta | undefined,
): { readonly managers: readonly Manager[]; readonly entries: readonly ManagedFieldsEntry[] } {
  const named = after?.managedFields;
  const isReadable = named !== undefined && named.length > 0 && named.every(isReadableEntry);
  const entries = isReadable ? named : (before?.managedFields ?? []);
  return { managers: entries.map(managerOf), entries };
}

/** Whether an object asks for its managers to be forgotten: by an empty list, or one empty entry. */
export function forgetsManagers({ managedFields }: ObjectMeta): boolean {
  if (managedFields === undefined || managedFields.length > 1) return false;
  return managedFields.length === 0 || isEmptyTree(managedFields[0] as FieldTree);
}

function isReadableEntry(entry: ManagedFieldsEntry): boolean {
  const isKnown = entry.operation === 'Apply' || entry.operation === 'Update';
  return isKnown && (entry.fieldsType ?? 'FieldsV1') === 'FieldsV1';
}

function managerOf(entry: ManagedFieldsEntry): Manager {
  return {
    manager: entry.manager ?? '',
    operation: entry.operation ?? '',
    apiVersion: entry.apiVersion ?? '',
    subresource: entry.subresource ?? '',
    time: entry.time,
    fields: entry.fieldsV1 ?? noFields,
    entry,
  };
}

/** Whether both are the same writer. Appliers are, whatever version they wrote last. */
export function isSameManager(
  left: Omit<Manager, 'time' | 'fields'>,
  right: Omit<Manager, 'time' | 'fields'>,
): boolean {
  return (
    left.manager === right.manager &&
    left.operation === right.operation &&
    left.subresource === right.subresource &&
    (left.operation === 'Apply' || left.apiVersion === right.apiVersion)
  );
}

/** The entries of an object, in the order that the official server gives them. */
export function entriesOf(managers: readonly Manager[]): ManagedFieldsEntry[] {
  return capped(managers)
    .filter(({ fields }) => !isEmptyTree(fields))
    .sort(compareManagers)
    .map(entryOf);
}

function entryOf(one: Manager): ManagedFieldsEntry {
  const { manager, operation, apiVersion, subresource, time, entry } = one;
  const fieldsV1 = sortedTree(one.fields);
  if (entry !== undefined && entry.fieldsV1 === fieldsV1 && entry.time === time && isSame(managerOf(entry), one))
    return entry;
  return {
    manager,
    operation,
    apiVersion,
    ...(time === undefined ? {} : { time }),
    fieldsType: 'FieldsV1',
    fieldsV1,
    ...(subresource === '' ? {} : { subresource }),
  };
}

function isSame(left: Manager, right: Manager): boolean {
  return isSameManager(left, right) && left.apiVersion === right.apiVersion;
}

/** Trees that are known to be in order: those of managers that a write does not touch. */
const inOrder = new WeakSet<FieldTree>();

/** The members of a tree in the order in which the official server writes them, so that the same set is the same text. */
function sortedTree(tree: FieldTree): FieldTree {
  if (inOrder.has(tree)) return tree;
  const sorted = sharedTree(sortedNode(tree));
  inOrder.add(sorted);
  return sorted;
}

/** The node itself when it is in order with all below. */
function sortedNode(node: FieldTree): FieldTree {
  const keys = Object.keys(node);
  let isSorted = true;
  for (let index = 1; index < keys.length && isSorted; index++) isSorted = keys[index - 1]! < keys[index]!;
  if (!isSorted) keys.sort();
  // Made only where something is not in its place: most nodes stay as they are.
  let sorted: Record<string, FieldTree> | undefined = isSorted ? undefined : {};
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index]!;
    const child = node[key] as FieldTree;
    const inPlace = sortedNode(child);
    if (sorted === undefined && inPlace !== child) sorted = firstOf(node, keys, index);
    if (sorted !== undefined) sorted[key] = inPlace;
  }
  return sorted ?? node;
}

function firstOf(node: FieldTree, keys: readonly string[], count: number): Record<string, FieldTree> {
  const first: Record<string, FieldTree> = {};
  for (let index = 0; index < count; index++) first[keys[index]!] = node[keys[index]!] as FieldTree;
  return first;
}

function compareManagers(left: Manager, right: Manager): number {
  const text = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
  return (
    text(left.operation, right.operation) ||
    text(left.time ?? '', right.time ?? '') ||
    text(left.manager, right.manager) ||
    text(left.apiVersion, right.apiVersion) ||
    text(left.subresource, right.subresource)
  );
}

/** Makes one manager a version of the oldest updaters, when there are too many. */
function capped(managers: readonly Manager[]): Manager[] {
  if (managers.length <= maximumUpdaters) return [...managers];
  const updaters = managers.filter(({ operation }) => operation === 'Update').sort(compareManagers);
  const excess = updaters.length - maximumUpdaters;
  if (excess <= 0) return [...managers];
  const oldest = updaters.filter(({ manager }) => manager !== forgottenUpdaters).slice(0, excess + 1);
  const kept = managers.filter((manager) => !oldest.includes(manager));
  for (const old of oldest) {
    const at = kept.findIndex((other) => isSameManager(other, { ...old, manager: forgottenUpdaters }));
    if (at < 0) kept.push({ ...old, manager: forgottenUpdaters });
    else kept[at] = { ...kept[at]!, fields: unionFields(kept[at]!.fields, old.fields) };
  }
  return kept;
}

/** Whether two lists of entries are alike but for times. */
export function differInTimesOnly(
  entries: readonly ManagedFieldsEntry[],
  before: readonly ManagedFieldsEntry[],
): boolean {
  const timeless = ({ time: _, ...rest }: ManagedFieldsEntry): object => rest;
  return (
    entries.length === before.length &&
    entries.every((entry) => before.some((old) => equalValues(timeless(entry), timeless(old))))
  );
}
