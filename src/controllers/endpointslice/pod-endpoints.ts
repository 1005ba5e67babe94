import { isPodReady, isPodTerminal, isPodTerminating } from '#kinds/core/pod/state.ts';
import type { Container, Node, Pod, Service, ServicePort } from '#kinds/generated/types/core_v1.ts';
import type { Endpoint, EndpointPort } from '#kinds/generated/types/discovery_v1.ts';
import type { EndpointGroup } from './packing.ts';
import { portsKey } from './packing.ts';

export type AddressType = 'IPv4' | 'IPv6';

const zoneLabel = 'topology.kubernetes.io/zone';

/** Whether a pod has an address that a service may list at all. */
export function isPodInService(pod: Pod, options: { readonly includeTerminating: boolean }): boolean {
  if (isPodTerminal(pod) || (pod.status?.podIP ?? '') === '') return false;
  return options.includeTerminating || !isPodTerminating(pod);
}

/** The pod's address of this family. */
export function podAddress(pod: Pod, type: AddressType): string | undefined {
  const addresses = pod.status?.podIPs?.map(({ ip }) => ip) ?? [pod.status?.podIP ?? ''];
  return addresses.find((address) => address !== '' && address.includes(':') === (type === 'IPv6'));
}

/** Families that the service has; before it was given any, IPv4. */
export function addressTypesOf(service: Service): readonly AddressType[] {
  const families = service.spec?.ipFamilies ?? [];
  return families.length === 0 ? ['IPv4'] : families.map((family) => (family === 'IPv6' ? 'IPv6' : 'IPv4'));
}

/** The number that a service port leads to in this pod; undefined where a named port is missing. */
export function targetPortOf(pod: Pod, { port, targetPort, protocol = 'TCP' }: ServicePort): number | undefined {
  if (targetPort === undefined || targetPort === 0 || targetPort === '') return port;
  if (typeof targetPort === 'number') return targetPort;
  const sidecars = (pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  const containers: readonly Container[] = [...(pod.spec?.containers ?? []), ...sidecars];
  for (const { ports = [] } of containers) {
    for (const { name, containerPort, protocol: own = 'TCP' } of ports) {
      if (name === targetPort && own === protocol) return containerPort;
    }
  }
  return undefined;
}

/** Groups the pods' endpoints by the ports they are reached on: with named ports these may differ from pod to pod. */
export function endpointGroups(
  service: Service,
  pods: readonly Pod[],
  type: AddressType,
  nodeOf: (name: string) => Node | undefined,
): readonly EndpointGroup[] {
  const groups = new Map<string, { readonly ports: readonly EndpointPort[]; readonly endpoints: Endpoint[] }>();
  for (const pod of pods) {
    const address = podAddress(pod, type);
    if (address === undefined) continue;
    const ports = portsOf(service, pod);
    const key = portsKey(ports);
    let group = groups.get(key);
    if (group === undefined) {
      group = { ports, endpoints: [] };
      groups.set(key, group);
    }
    group.endpoints.push(endpointOf(service, pod, address, nodeOf(pod.spec?.nodeName ?? '')));
  }
  return [...groups.values()];
}

function portsOf(service: Service, pod: Pod): readonly EndpointPort[] {
  return (service.spec?.ports ?? []).flatMap((servicePort) => {
    const port = targetPortOf(pod, servicePort);
    if (port === undefined) return [];
    const { name = '', protocol = 'TCP', appProtocol } = servicePort;
    return [{ name, protocol, port, ...(appProtocol === undefined ? {} : { appProtocol }) }];
  });
}

function endpointOf(service: Service, pod: Pod, address: string, node: Node | undefined): Endpoint {
  const { name = '', namespace = '', uid = '' } = pod.metadata;
  const serving = isPodReady(pod);
  const terminating = isPodTerminating(pod);
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  const zone = node?.metadata.labels?.[zoneLabel];
  const hostname = hostnameIn(service, pod);
  const nodeName = pod.spec?.nodeName;
  return {
    addresses: [address],
    conditions: { ready, serving, terminating },
    ...(hostname === undefined ? {} : { hostname }),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(zone === undefined ? {} : { zone }),
    ...hintsFor(service, zone, nodeName, ready),
    targetRef: { kind: 'Pod', namespace, name, uid },
  };
}

/** The name by which DNS knows the pod under this service. */
export function hostnameIn(service: Service, pod: Pod): string | undefined {
  const { hostname = '', subdomain } = pod.spec ?? {};
  return hostname !== '' && subdomain === service.metadata.name ? hostname : undefined;
}

function hintsFor(service: Service, zone: string | undefined, node: string | undefined, ready: boolean) {
  const distribution = service.spec?.trafficDistribution;
  if (!ready || distribution === undefined || zone === undefined) return {};
  const forZones = [{ name: zone }];
  if (distribution === 'PreferSameNode' && node !== undefined)
    return { hints: { forZones, forNodes: [{ name: node }] } };
  return { hints: { forZones } };
}
