import type { PodStatus } from '#kinds/generated/types/core_v1.ts';

/** Conditions that the kubelet owns. All others belong to whoever set them and are never sent. */
const ownedConditions: readonly string[] = [
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
  'PodResizePending',
  'PodResizeInProgress',
];

/** Whether a condition is the kubelet's to set. */
export function isOwned({ type }: { readonly type: string }): boolean {
  return ownedConditions.includes(type);
}

/** Lists that a strategic merge patch merges by a key, so that what is to go must be named. */
const keyed = { conditions: 'type', podIPs: 'ip', hostIPs: 'ip' } as const;
/** Never cleared by the kubelet: others write them. */
const foreign = new Set(['nominatedNodeName', 'resourceClaimStatuses', 'extendedResourceClaimStatus', 'resize']);

/** The strategic merge patch that turns a status into another; undefined when there is nothing to change. */
export function statusPatch(from: PodStatus, to: PodStatus): Record<string, unknown> | undefined {
  const patch: Record<string, unknown> = {};
  const fields = new Set([...Object.keys(from), ...Object.keys(to)]) as Set<keyof PodStatus>;
  for (const field of fields) {
    if (foreign.has(field)) continue;
    if (field in keyed) {
      const list = mergedList(from, to, field as keyof typeof keyed);
      if (list !== undefined) patch[field] = list;
      continue;
    }
    if (same(from[field], to[field])) continue;
    patch[field] = to[field] ?? null;
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

function mergedList(from: PodStatus, to: PodStatus, field: keyof typeof keyed): readonly unknown[] | undefined {
  const key = keyed[field];
  const itemsOf = (status: PodStatus) =>
    (status[field] ?? []).map((item): Readonly<Record<string, unknown>> => ({ ...item }));
  const isOurs = (item: Readonly<Record<string, unknown>>) =>
    field !== 'conditions' || isOwned({ type: String(item['type']) });
  const before = itemsOf(from).filter(isOurs);
  const after = itemsOf(to).filter(isOurs);
  const changes: unknown[] = [];
  for (const item of after) {
    const old = before.find((other) => other[key] === item[key]);
    if (old === undefined) changes.push(item);
    else if (!same(old, item)) {
      // Merging keeps what is left out, so what went is set to null.
      const gone = Object.keys(old).filter((name) => !(name in item));
      changes.push({ ...item, ...Object.fromEntries(gone.map((name) => [name, null])) });
    }
  }
  for (const item of before)
    if (!after.some((other) => other[key] === item[key])) changes.push({ [key]: item[key], $patch: 'delete' });
  return changes.length === 0 ? undefined : changes;
}

/** Equality of JSON values; an empty object, list or null counts as absent, because the server drops them. */
export function same(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (isMembers(left) && isMembers(right) && Array.isArray(left) === Array.isArray(right))
    return sameMembers(left, right);
  return isEmpty(left) && isEmpty(right);
}

type Members = Readonly<Record<string, unknown>>;

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null;
}

function sameMembers(left: Members, right: Members): boolean {
  for (const name in left) if (!same(left[name], right[name])) return false;
  for (const name in right) if (!Object.hasOwn(left, name) && !isEmpty(right[name])) return false;
  return true;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value !== 'object') return false;
  for (const name in value) if (!isEmpty((value as Members)[name])) return false;
  return true;
}
