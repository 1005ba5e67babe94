import type { Turn } from '#client/controller.ts';
import { refTo } from '#client/object-key.ts';
import { EndpointSlice as EndpointSliceKind } from '#kinds/generated/handles.ts';
import type { EndpointSlice } from '#kinds/generated/types/discovery_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import { isReason } from '#machinery/errors.ts';
import type { OwnerReference } from '#machinery/meta.ts';
import type { SliceWork } from './metrics.ts';
import type { SliceChanges } from './packing.ts';
import type { AddressType } from './pod-endpoints.ts';

export const serviceNameLabel = 'kubernetes.io/service-name';
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by';
export const headlessLabel = 'service.kubernetes.io/headless';
export const triggerTimeAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time';

/** What all slices of one service have in common. */
export interface SliceFrame {
  readonly namespace: string;
  readonly serviceName: string;
  readonly addressType: AddressType;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly owner: OwnerReference;
}

/** Carries the changes out, and brings the labels of untouched slices up to date. @returns how many writes that took. */
export async function writeSlices(
  { client, signal }: Turn,
  frame: SliceFrame,
  existing: readonly EndpointSlice[],
  changes: SliceChanges,
): Promise<SliceWork> {
  for (const { ports, endpoints } of changes.create) {
    const { namespace, serviceName, labels, annotations, owner, addressType } = frame;
    const metadata = { generateName: `${serviceName}-`, namespace, labels, annotations, ownerReferences: [owner] };
    await client.create(EndpointSliceKind, { metadata, addressType, endpoints, ports }, { signal });
  }
  let updates = 0;
  const updated = new Map(changes.update.map(({ slice, endpoints }) => [slice, endpoints]));
  for (const slice of existing) {
    if (changes.delete.includes(slice)) {
      await client.delete(EndpointSliceKind, refTo(slice), { signal }).catch((error: unknown) => {
        if (!isReason(error, 'NotFound')) throw error;
      });
      continue;
    }
    const endpoints = updated.get(slice);
    if (endpoints === undefined && equalValues(slice.metadata.labels, frame.labels)) continue;
    const annotations = { ...slice.metadata.annotations, ...frame.annotations };
    const metadata = { ...slice.metadata, labels: frame.labels, annotations };
    const wanted = { ...slice, metadata, endpoints: endpoints ?? slice.endpoints ?? [] };
    await client.update(EndpointSliceKind, wanted, { signal });
    updates++;
  }
  return { create: changes.create.length, update: updates, delete: changes.delete.length };
}
