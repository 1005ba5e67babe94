import type { Client } from '#client/client.ts';
import { refTo } from '#client/object-key.ts';
import type { Kind } from '#kinds/kind.ts';
import { isReason } from '#machinery/errors.ts';
import type { ApiObject } from '#machinery/meta.ts';
import type { LabelMatch } from './match.ts';
import { controllerOf, controllerReference } from './owners.ts';

/**
 * Settles which of `candidates` the owner controls: those it controls and that match stay, matching ones without a
 * controller are adopted, controlled ones that no longer match are released.
 * @returns what the owner controls afterwards.
 */
export async function claim<Owner extends ApiObject, Item extends ApiObject>(options: {
  readonly client: Client;
  readonly signal: AbortSignal;
  readonly ownerKind: Kind<Owner>;
  readonly owner: Owner;
  readonly itemKind: Kind<Item>;
  readonly candidates: Iterable<Item>;
  readonly matches: LabelMatch;
}): Promise<Item[]> {
  const { owner, matches } = options;
  const isLeaving = owner.metadata.deletionTimestamp !== undefined;
  const mine: Item[] = [];
  let verified = false;
  for (const item of options.candidates) {
    const controller = controllerOf(item);
    const isMatch = matches(item.metadata.labels);
    if (controller !== undefined) {
      if (controller.uid !== owner.metadata.uid) continue;
      if (isMatch) mine.push(item);
      else if (!isLeaving) await release(options, item);
    } else if (isMatch && !isLeaving && item.metadata.deletionTimestamp === undefined) {
      // The cache may show an owner that is gone, or whose name another has taken: ask before taking possession.
      if (!verified) await verifyOwner(options);
      verified = true;
      const adopted = await adopt(options, item);
      if (adopted !== undefined) mine.push(adopted);
    }
  }
  return mine;
}

interface Claiming<Owner extends ApiObject, Item extends ApiObject> {
  readonly client: Client;
  readonly signal: AbortSignal;
  readonly ownerKind: Kind<Owner>;
  readonly owner: Owner;
  readonly itemKind: Kind<Item>;
}

async function verifyOwner<Owner extends ApiObject, Item extends ApiObject>(
  options: Claiming<Owner, Item>,
): Promise<void> {
  const { client, ownerKind, owner, signal } = options;
  const { metadata } = await client.get(ownerKind, refTo(owner), { signal });
  if (metadata.uid !== owner.metadata.uid) throw new Error(`${ownerKind.kind} ${metadata.name} was replaced`);
  if (metadata.deletionTimestamp !== undefined) throw new Error(`${ownerKind.kind} ${metadata.name} is being deleted`);
}

async function adopt<Owner extends ApiObject, Item extends ApiObject>(
  { client, ownerKind, owner, itemKind, signal }: Claiming<Owner, Item>,
  item: Item,
): Promise<Item | undefined> {
  const ownerReferences = [controllerReference(ownerKind, owner)];
  const body = { metadata: { uid: item.metadata.uid, ownerReferences } };
  try {
    return await client.patch(itemKind, refTo(item), { type: 'strategic', body }, { signal });
  } catch (error) {
    if (isReason(error, 'NotFound')) return undefined;
    throw error;
  }
}

async function release<Owner extends ApiObject, Item extends ApiObject>(
  { client, owner, itemKind, signal }: Claiming<Owner, Item>,
  item: Item,
): Promise<void> {
  const ownerReferences = [{ $patch: 'delete', uid: owner.metadata.uid }];
  const body = { metadata: { uid: item.metadata.uid, ownerReferences } };
  try {
    await client.patch(itemKind, refTo(item), { type: 'strategic', body }, { signal });
  } catch (error) {
    // Gone, or replaced by another of the same name: nothing to release either way.
    if (!isReason(error, 'NotFound') && !isReason(error, 'Invalid') && !isReason(error, 'Conflict')) throw error;
  }
}
