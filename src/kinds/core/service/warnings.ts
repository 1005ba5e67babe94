import type { Service, ServiceSpec } from '#kinds/generated/types/core_v1.ts';
import { cidrWarnings, ipWarnings } from '#machinery/ip.ts';

const topologyHints = 'service.kubernetes.io/topology-aware-hints';

/** What a service says in vain, or in an old way. */
export function serviceWarnings({ metadata, spec }: Service): readonly string[] {
  const warnings: string[] = [];
  const { externalIPs = [], clusterIPs = [], loadBalancerIP = '' } = spec;
  if (metadata.annotations?.[topologyHints] !== undefined)
    warnings.push(`annotation ${topologyHints} is deprecated, please use service.kubernetes.io/topology-mode instead`);
  if (spec.clusterIP !== 'None')
    for (const [index, ip] of clusterIPs.entries()) warnings.push(...ipWarnings(ip, `spec.clusterIPs[${index}]`));
  warnings.push(...headlessWarnings(spec));
  for (const [index, ip] of externalIPs.entries()) warnings.push(...ipWarnings(ip, `spec.externalIPs[${index}]`));
  if (externalIPs.length > 0 && !isHeadless(spec) && spec.type !== 'ExternalName')
    warnings.push('spec.externalIPs is deprecated and may no longer be implemented in some clusters');
  warnings.push(...ipWarnings(loadBalancerIP, 'spec.loadBalancerIP'));
  for (const [index, range] of (spec.loadBalancerSourceRanges ?? []).entries())
    warnings.push(...cidrWarnings(range, `spec.loadBalancerSourceRanges[${index}]`));
  if (spec.type === 'ExternalName' && externalIPs.length > 0)
    warnings.push('spec.externalIPs is ignored when spec.type is "ExternalName"');
  if (spec.type !== 'ExternalName' && (spec.externalName ?? '') !== '')
    warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  if (spec.trafficDistribution === 'PreferClose')
    warnings.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"');
  return warnings;
}

const isHeadless = ({ type, clusterIP }: ServiceSpec): boolean => type === 'ClusterIP' && clusterIP === 'None';

function headlessWarnings(spec: ServiceSpec): string[] {
  if (!isHeadless(spec)) return [];
  const ignored: Readonly<Record<string, boolean>> = {
    loadBalancerIP: (spec.loadBalancerIP ?? '') !== '',
    externalIPs: (spec.externalIPs ?? []).length > 0,
    SessionAffinity: spec.sessionAffinity !== 'None',
  };
  const fields = Object.keys(ignored).filter((field) => ignored[field]);
  return fields.map((field) => `spec.${field} is ignored for headless services`);
}
