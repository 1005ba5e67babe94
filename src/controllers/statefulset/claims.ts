import type { Turn } from '#client/controller.ts';
import type { EventRecorder } from '#client/events.ts';
import { messageOf } from '#client/failures.ts';
import type { Informer } from '#client/informer.ts';
import { refTo } from '#client/object-key.ts';
import { PersistentVolumeClaim as ClaimKind, StatefulSet as StatefulSetKind } from '#kinds/generated/handles.ts';
import type { StatefulSet } from '#kinds/generated/types/apps_v1.ts';
import type { PersistentVolumeClaim, Pod } from '#kinds/generated/types/core_v1.ts';
import { apiVersionOf, type OwnerReference } from '#machinery/meta.ts';
import { claimsFor, podNameFor } from './pod.ts';

interface ClaimTurn extends Turn {
  readonly events: EventRecorder;
  readonly claims: Informer<PersistentVolumeClaim>;
}

/** Makes the claims of an ordinal that are missing. A claim that is being deleted has to be gone first. */
export async function ensureClaims(turn: ClaimTurn, set: StatefulSet, ordinal: number): Promise<void> {
  const { client, signal, events, claims } = turn;
  for (const claim of claimsFor(set, ordinal)) {
    const { name = '', namespace } = claim.metadata;
    const existing = claims.get(namespace, name);
    if (existing !== undefined) {
      if (existing.metadata.deletionTimestamp !== undefined) throw new Error(`pvc ${name} is being deleted`);
      continue;
    }
    const what = `create Claim ${name} Pod ${podNameFor(set, ordinal)} in StatefulSet ${set.metadata.name}`;
    try {
      await client.create(ClaimKind, claim, { signal });
    } catch (error) {
      const message = `${what} failed error: ${messageOf(error)}`;
      events.record(StatefulSetKind, set, { type: 'Warning', reason: 'FailedCreate', message });
      throw error;
    }
    events.record(StatefulSetKind, set, { type: 'Normal', reason: 'SuccessfulCreate', message: `${what} success` });
  }
}

/**
 * Owners that make garbage collection delete the claims, as the retention policy says: the set when it is deleted
 * itself, the pod when it is scaled away.
 */
export async function retainClaims(
  { client, signal, claims }: ClaimTurn,
  set: StatefulSet,
  pod: Pod,
  ordinal: number,
  { condemned }: { readonly condemned: boolean },
): Promise<void> {
  const { whenDeleted = 'Retain', whenScaled = 'Retain' } = set.spec.persistentVolumeClaimRetentionPolicy ?? {};
  const setOwner = ownerFor(apiVersionOf(StatefulSetKind), 'StatefulSet', set);
  const podOwner = ownerFor('v1', 'Pod', pod);
  const wanted = [
    ...(whenDeleted === 'Delete' && !(condemned && whenScaled === 'Delete') ? [setOwner] : []),
    ...(whenScaled === 'Delete' && condemned ? [podOwner] : []),
  ];
  for (const { metadata } of claimsFor(set, ordinal)) {
    const claim = claims.get(metadata.namespace, metadata.name ?? '');
    if (claim === undefined) continue;
    const others = (claim.metadata.ownerReferences ?? []).filter(
      ({ uid }) => uid !== set.metadata.uid && uid !== pod.metadata.uid,
    );
    const ownerReferences = [...others, ...wanted];
    const uids = (owners: readonly OwnerReference[]) => owners.map(({ uid }) => uid).join();
    if (uids(ownerReferences) === uids(claim.metadata.ownerReferences ?? [])) continue;
    const body = { metadata: { resourceVersion: claim.metadata.resourceVersion, ownerReferences } };
    await client.patch(ClaimKind, refTo(claim), { type: 'merge', body }, { signal });
  }
}

function ownerFor(apiVersion: string, kind: string, { metadata }: StatefulSet | Pod): OwnerReference {
  return { apiVersion, kind, name: metadata.name ?? '', uid: metadata.uid ?? '' };
}
