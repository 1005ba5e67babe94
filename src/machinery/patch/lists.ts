import { goText, goType } from '../go-text.ts';
import type { Json, JsonObject } from '../meta.ts';
import { isObject } from './merge-patch.ts';

/** A strategic merge patch that cannot be; the message is upstream's. */
export class PatchFormatError extends Error {
  override readonly name = 'PatchFormatError';
  /** Upstream blames the client for some of these, and for the others itself. */
  readonly blames: 'client' | 'server';

  constructor(message: string, blames: 'client' | 'server' = 'server') {
    super(message);
    this.blames = blames;
  }
}

/** What identifies an item: the value of its merge key, or the item itself in a list of scalars. */
export function itemKey(item: Json, mergeKey: string | undefined): Json | undefined {
  if (mergeKey === undefined) return item;
  return isObject(item) ? item[mergeKey] : undefined;
}

/** The same, where an item without its key is an error. */
export function requiredKey(item: Json, mergeKey: string): Json {
  if (!isObject(item)) throw badType('map[string]interface {}', item);
  const key = item[mergeKey];
  if (key === undefined) {
    throw new PatchFormatError(`map: ${goText(item)} does not contain declared merge key: ${mergeKey}`);
  }
  return key;
}

export function badType(expected: string, actual: Json): PatchFormatError {
  const type = actual === null ? '%!s(<nil>)' : goType(actual);
  return new PatchFormatError(`expected a ${expected}, but received a ${type}`);
}

/** Items by their place in `order`; items that it does not have come first. */
export function sortedBy(items: readonly Json[], order: readonly Json[], mergeKey: string | undefined): Json[] {
  const places = placesOf(order, mergeKey);
  const place = (item: Json): number => places.get(itemKey(item, mergeKey)) ?? -1;
  const kept = items.filter((item) => !isDeletion(item));
  const deletions = items.filter(isDeletion);
  return [...kept.sort((left, right) => place(left) - place(right)), ...deletions];
}

function isDeletion(item: Json): boolean {
  return isObject(item) && item['$patch'] === 'delete';
}

function placesOf(order: readonly Json[], mergeKey: string | undefined): Map<Json | undefined, number> {
  const places = new Map<Json | undefined, number>();
  order.forEach((item, index) => {
    const key = itemKey(item, mergeKey);
    if (!places.has(key)) places.set(key, index);
  });
  return places;
}

/**
 * Orders a merged list: items that the patch speaks of in the patch's order, the others in the live order, and each
 * of the others before the first item of the patch that follows it in the live order.
 */
export function ordered(
  merged: readonly Json[],
  orders: { readonly patch: readonly Json[]; readonly live: readonly Json[] },
  mergeKey: string | undefined,
): Json[] {
  const inPatch = placesOf(orders.patch, mergeKey);
  const live = placesOf(orders.live, mergeKey);
  const isFromPatch = (item: Json): boolean => inPatch.has(itemKey(item, mergeKey));
  const fromPatch = sortedBy(merged.filter(isFromPatch), orders.patch, mergeKey);
  const others = sortedBy(
    merged.filter((item) => !isFromPatch(item)),
    orders.live,
    mergeKey,
  );
  const result: Json[] = [];
  let next = 0;
  for (const item of fromPatch) {
    const place = live.get(itemKey(item, mergeKey));
    while (next < others.length && place !== undefined) {
      const other = live.get(itemKey(others[next]!, mergeKey));
      if (other === undefined || other >= place) break;
      result.push(others[next++]!);
    }
    result.push(item);
  }
  return [...result, ...others.slice(next)];
}

/** Without repetition; the first of equal scalars stays. */
export function distinct(items: readonly Json[]): Json[] {
  return [...new Set(items)];
}

/** Items that merge are all of one type. */
export function checkTypes(live: readonly Json[], patch: readonly Json[]): void {
  const [first, ...others] = [...live, ...patch];
  if (Array.isArray(first)) throw new PatchFormatError('lists of lists are not supported');
  const typeOf = (item: Json | undefined): string => (item === null ? 'nil' : goType(item!));
  if (others.some((item) => typeOf(item) !== typeOf(first)))
    throw new PatchFormatError(
      `list element types are not identical: [${goText(live as Json)} ${goText(patch as Json)}]`,
    );
}

export function findByKey(items: readonly Json[], mergeKey: string, key: Json): number {
  return items.findIndex((item) => {
    if (!isObject(item)) throw badType('map[string]interface {}', item);
    return (item as JsonObject)[mergeKey] === key;
  });
}
