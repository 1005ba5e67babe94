import type { Service, ServiceSpec } from '#kinds/generated/types/core_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import type { Mutable } from '#machinery/meta.ts';

const hasClusterIp = (spec: ServiceSpec): boolean => spec.type !== 'ExternalName';
const hasNodePorts = (spec: ServiceSpec): boolean => spec.type === 'NodePort' || spec.type === 'LoadBalancer';
const allocatesNodePorts = (spec: ServiceSpec): boolean =>
  spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);
const hasHealthPort = (spec: ServiceSpec): boolean =>
  spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local';
const isReachableFromOutside = (spec: ServiceSpec): boolean =>
  hasNodePorts(spec) || (spec.type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0);

/** A client that applies its original manifest again does not lose the addresses and ports that the server chose. */
export function keepAllocatedValues(spec: Mutable<ServiceSpec>, old: ServiceSpec): void {
  if (hasClusterIp(old) && hasClusterIp(spec)) {
    if ((spec.clusterIP ?? '') === '' && old.clusterIP !== undefined) spec.clusterIP = old.clusterIP;
    if ((spec.clusterIPs ?? []).length === 0 && old.clusterIPs !== undefined) spec.clusterIPs = [...old.clusterIPs];
  }
  if (allocatesNodePorts(old) && allocatesNodePorts(spec)) keepNodePorts(spec, old);
  if (hasHealthPort(old) && hasHealthPort(spec) && old.healthCheckNodePort !== undefined) {
    if ((spec.healthCheckNodePort ?? 0) === 0) spec.healthCheckNodePort = old.healthCheckNodePort;
  }
}

function keepNodePorts(spec: Mutable<ServiceSpec>, old: ServiceSpec): void {
  const before = new Set(nodePortsOf(old));
  const used = new Set(nodePortsOf(spec).filter((port) => before.has(port)));
  const byName = new Map((old.ports ?? []).map((port) => [port.name ?? '', port.nodePort ?? 0]));
  for (const port of spec.ports ?? []) {
    const known = byName.get(port.name ?? '') ?? 0;
    if ((port.nodePort ?? 0) === 0 && known !== 0 && !used.has(known)) port.nodePort = known;
  }
}

/** The old field for one address and the new one for two are told apart by which of them a client has changed. */
export function alignAddresses(spec: Mutable<ServiceSpec>, old: ServiceSpec | undefined): void {
  const { clusterIP = '', clusterIPs = [] } = spec;
  if (old === undefined) {
    if (clusterIP !== '' && clusterIPs.length === 0) spec.clusterIPs = [clusterIP];
    return;
  }
  const { clusterIP: before = '', clusterIPs: allBefore = [] } = old;
  if (before === clusterIP) {
    if (allBefore.length > 0 && clusterIPs.length === 0) spec.clusterIPs = [...allBefore];
    return;
  }
  if (!equalValues(allBefore, clusterIPs)) return;
  if (clusterIP === '') delete spec.clusterIPs;
  else spec.clusterIPs = [clusterIP];
}

function nodePortsOf(spec: ServiceSpec): number[] {
  return (spec.ports ?? []).map((port) => port.nodePort ?? 0).filter((port) => port !== 0);
}

/** A change of type takes along what only the old type has, unless the client changed that as well. */
export function dropFieldsOfOtherTypes(service: Mutable<Service>, { spec: old }: Service): void {
  const { spec } = service;
  if (hasClusterIp(old) && !hasClusterIp(spec)) {
    if (spec.clusterIP === old.clusterIP && equalValues(spec.clusterIPs, old.clusterIPs)) {
      delete spec.clusterIP;
      delete spec.clusterIPs;
    }
    if (equalValues(spec.ipFamilies, old.ipFamilies)) delete spec.ipFamilies;
    if (spec.ipFamilyPolicy === old.ipFamilyPolicy) delete spec.ipFamilyPolicy;
  }
  const before = new Set(nodePortsOf(old));
  if (hasNodePorts(old) && !hasNodePorts(spec) && nodePortsOf(spec).every((port) => before.has(port))) {
    for (const port of spec.ports ?? []) delete port.nodePort;
  }
  if (hasHealthPort(old) && !hasHealthPort(spec) && spec.healthCheckNodePort === old.healthCheckNodePort) {
    delete spec.healthCheckNodePort;
  }
  if (old.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    if (spec.allocateLoadBalancerNodePorts === old.allocateLoadBalancerNodePorts) {
      delete spec.allocateLoadBalancerNodePorts;
    }
    if (spec.loadBalancerClass === old.loadBalancerClass) delete spec.loadBalancerClass;
  }
  const isSamePolicy = spec.externalTrafficPolicy === old.externalTrafficPolicy;
  if (isReachableFromOutside(old) && !isReachableFromOutside(spec) && isSamePolicy) delete spec.externalTrafficPolicy;
  if (spec.type !== 'LoadBalancer' && service.status?.loadBalancer?.ingress !== undefined) {
    service.status.loadBalancer = {};
  }
}
