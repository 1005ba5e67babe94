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
    if (old.clusterIP !== undefined) spec.clusterIP ??= old.clusterIP;
    if (old.clusterIPs !== undefined) spec.clusterIPs ??= [...old.clusterIPs];
  }
  if (allocatesNodePorts(old) && allocatesNodePorts(spec)) keepNodePorts(spec, old);
  if (hasHealthPort(old) && hasHealthPort(spec) && old.healthCheckNodePort !== undefined) {
    spec.healthCheckNodePort ??= old.healthCheckNodePort;
  }
}

function keepNodePorts(spec: Mutable<ServiceSpec>, old: ServiceSpec): void {
  const used = new Set(nodePortsOf(spec));
  const byName = new Map((old.ports ?? []).map((port) => [port.name ?? '', port.nodePort]));
  for (const port of spec.ports ?? []) {
    const before = byName.get(port.name ?? '');
    if (port.nodePort === undefined && before !== undefined && !used.has(before)) port.nodePort = before;
  }
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
