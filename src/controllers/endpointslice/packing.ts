import type { Endpoint, EndpointPort, EndpointSlice } from '#kinds/generated/types/discovery_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import { canonicalJson } from '../shared/template-hash.ts';

/** Endpoints per slice, as upstream's default. */
export const endpointsPerSlice = 100;

/** Endpoints that are reached on the same ports. */
export interface EndpointGroup {
  readonly ports: readonly EndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

/** What to do to the slices of a service, of one address type. */
export interface SliceChanges {
  /** Contents of new slices. */
  readonly create: readonly EndpointGroup[];
  readonly update: readonly { readonly slice: EndpointSlice; readonly endpoints: readonly Endpoint[] }[];
  readonly delete: readonly EndpointSlice[];
}

/**
 * Fits wanted endpoints into slices such that few slices change: every node reads every change. Endpoints stay where
 * they are, new ones fill slices that change anyway, then the fullest one that takes them all, then new slices.
 */
export function packSlices(existing: readonly EndpointSlice[], wanted: readonly EndpointGroup[]): SliceChanges {
  const slicesByPorts = Map.groupBy(existing, ({ ports }) => portsKey(ports ?? []));
  const changes = {
    create: [] as EndpointGroup[],
    update: [] as { slice: EndpointSlice; endpoints: readonly Endpoint[] }[],
    delete: [] as EndpointSlice[],
  };
  const groups = wanted.filter(({ endpoints }) => endpoints.length > 0);
  for (const group of groups) {
    const key = portsKey(group.ports);
    packGroup(slicesByPorts.get(key) ?? [], group, changes);
    slicesByPorts.delete(key);
  }
  for (const slices of slicesByPorts.values()) changes.delete.push(...slices);
  if (groups.length > 0) return changes;
  // A service without endpoints keeps one empty slice, so that readers can tell "none" from "not yet".
  const empty = existing.find((slice) => (slice.endpoints ?? []).length === 0 && (slice.ports ?? []).length === 0);
  return empty === undefined
    ? { ...changes, create: [{ ports: [], endpoints: [] }] }
    : { ...changes, delete: changes.delete.filter((slice) => slice !== empty) };
}

function packGroup(
  slices: readonly EndpointSlice[],
  { ports, endpoints }: EndpointGroup,
  changes: {
    readonly create: EndpointGroup[];
    readonly update: { slice: EndpointSlice; endpoints: readonly Endpoint[] }[];
    readonly delete: EndpointSlice[];
  },
): void {
  const pending = new Map(endpoints.map((endpoint) => [identityOf(endpoint), endpoint]));
  const drafts = slices.map((slice) => {
    const kept: Endpoint[] = [];
    let changed = false;
    for (const endpoint of slice.endpoints ?? []) {
      const key = identityOf(endpoint);
      const current = pending.get(key);
      pending.delete(key);
      if (current === undefined) changed = true;
      else {
        kept.push(current);
        if (!equalValues(endpoint, current)) changed = true;
      }
    }
    return { slice, kept, changed };
  });
  const left = [...pending.values()];
  const fill = (draft: { readonly kept: Endpoint[]; changed: boolean }) => {
    const taken = left.splice(0, Math.max(0, endpointsPerSlice - draft.kept.length));
    if (taken.length > 0) draft.changed = true;
    draft.kept.push(...taken);
  };
  const fullestFirst = drafts.sort((one, other) => other.kept.length - one.kept.length);
  for (const draft of fullestFirst) if (draft.changed && draft.kept.length > 0) fill(draft);
  const last = left.length % endpointsPerSlice;
  const host = fullestFirst.find(({ changed, kept }) => !changed && kept.length + last <= endpointsPerSlice);
  if (last > 0 && left.length < endpointsPerSlice && host !== undefined) fill(host);
  for (const { slice, kept, changed } of drafts) {
    if (kept.length === 0 && left.length === 0) changes.delete.push(slice);
    else if (kept.length === 0) changes.update.push({ slice, endpoints: left.splice(0, endpointsPerSlice) });
    else if (changed) changes.update.push({ slice, endpoints: kept });
  }
  while (left.length > 0) changes.create.push({ ports, endpoints: left.splice(0, endpointsPerSlice) });
}

/** What tells an endpoint from others. */
export function identityOf({ addresses, targetRef }: Endpoint): string {
  return `${targetRef?.uid ?? ''} ${addresses.join(' ')}`;
}

export function portsKey(ports: readonly EndpointPort[]): string {
  return ports.map(canonicalJson).sort().join();
}
