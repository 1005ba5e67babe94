import { isPodReady } from '#kinds/core/pod/state.ts';
import type { EndpointAddress, EndpointPort, EndpointSubset, Pod, Service } from '#kinds/generated/types/core_v1.ts';
import { addressTypesOf, hostnameIn, podAddress, targetPortOf } from '../endpointslice/pod-endpoints.ts';

/** Addresses in one Endpoints object; more are cut off, and an annotation says so. */
export const addressLimit = 1_000;

interface Entry {
  readonly address: EndpointAddress;
  readonly ready: boolean;
}

/** The subsets of a service's Endpoints: addresses that share their ports stand together, everything sorted. */
export function subsetsOf(service: Service, pods: readonly Pod[]): readonly EndpointSubset[] {
  const type = addressTypesOf(service)[0] ?? 'IPv4';
  const byPort = new Map<string, { readonly port: EndpointPort | undefined; readonly entries: Entry[] }>();
  const put = (port: EndpointPort | undefined, entry: Entry): void => {
    const key = JSON.stringify(port ?? null);
    const group = byPort.get(key);
    if (group === undefined) byPort.set(key, { port, entries: [entry] });
    else group.entries.push(entry);
  };
  const ports = service.spec?.ports ?? [];
  for (const pod of pods) {
    const ip = podAddress(pod, type);
    if (ip === undefined) continue;
    const ready = service.spec?.publishNotReadyAddresses === true || isPodReady(pod);
    const entry = { address: addressOf(service, pod, ip), ready };
    if (ports.length === 0) put(undefined, entry);
    for (const servicePort of ports) {
      const port = targetPortOf(pod, servicePort);
      if (port === undefined) continue;
      const { name, protocol = 'TCP', appProtocol } = servicePort;
      put(
        {
          ...(name === undefined || name === '' ? {} : { name }),
          port,
          protocol,
          ...(appProtocol === undefined ? {} : { appProtocol }),
        },
        entry,
      );
    }
  }
  return merge([...byPort.values()]);
}

/** Ports with the same addresses share a subset. */
function merge(
  groups: readonly { readonly port: EndpointPort | undefined; readonly entries: readonly Entry[] }[],
): readonly EndpointSubset[] {
  const byAddresses = Map.groupBy(groups, ({ entries }) =>
    entries
      .map(({ address, ready }) => `${address.ip} ${address.targetRef?.uid} ${ready}`)
      .sort()
      .join(),
  );
  const subsets = [...byAddresses.values()].map((same): EndpointSubset => {
    const entries = [...(same[0]?.entries ?? [])].sort((left, right) => (left.address.ip < right.address.ip ? -1 : 1));
    const ports = same.flatMap(({ port }) => port ?? []).sort((left, right) => (key(left) < key(right) ? -1 : 1));
    const addresses = entries.filter(({ ready }) => ready).map(({ address }) => address);
    const notReadyAddresses = entries.filter(({ ready }) => !ready).map(({ address }) => address);
    return {
      ...(addresses.length === 0 ? {} : { addresses }),
      ...(notReadyAddresses.length === 0 ? {} : { notReadyAddresses }),
      ...(ports.length === 0 ? {} : { ports }),
    };
  });
  return subsets.sort((left, right) => (JSON.stringify(left.ports) < JSON.stringify(right.ports) ? -1 : 1));
}

function key({ name = '', port, protocol = '' }: EndpointPort): string {
  return `${name} ${String(port).padStart(5, '0')} ${protocol}`;
}

function addressOf(service: Service, pod: Pod, ip: string): EndpointAddress {
  const { name = '', namespace = '', uid = '' } = pod.metadata;
  const hostname = hostnameIn(service, pod);
  const nodeName = pod.spec?.nodeName;
  return {
    ip,
    ...(hostname === undefined ? {} : { hostname }),
    ...(nodeName === undefined ? {} : { nodeName }),
    targetRef: { kind: 'Pod', namespace, name, uid },
  };
}

/** At most `addressLimit` addresses, ready ones first. */
export function truncated(subsets: readonly EndpointSubset[]): readonly EndpointSubset[] {
  let left = addressLimit;
  const cut = <Item>(items: readonly Item[] | undefined): readonly Item[] => {
    const kept = (items ?? []).slice(0, left);
    left -= kept.length;
    return kept;
  };
  const ready = subsets.map(({ addresses }) => cut(addresses));
  return subsets.flatMap((subset, index) => {
    const addresses = ready[index] ?? [];
    const notReadyAddresses = cut(subset.notReadyAddresses);
    if (addresses.length + notReadyAddresses.length === 0) return [];
    const { ports } = subset;
    return [
      {
        ...(addresses.length === 0 ? {} : { addresses }),
        ...(notReadyAddresses.length === 0 ? {} : { notReadyAddresses }),
        ...(ports === undefined ? {} : { ports }),
      },
    ];
  });
}
