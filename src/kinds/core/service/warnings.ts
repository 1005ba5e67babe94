import type { Service } from '#kinds/generated/types/core_v1.ts';

const topologyHints = 'service.kubernetes.io/topology-aware-hints';

/** What a service says in vain. */
export function serviceWarnings({ metadata, spec }: Service): readonly string[] {
  const warnings: string[] = [];
  if (metadata.annotations?.[topologyHints] !== undefined)
    warnings.push(`annotation ${topologyHints} is deprecated, please use service.kubernetes.io/topology-mode instead`);
  if (spec.clusterIP === 'None') {
    const ignored: Readonly<Record<string, boolean>> = {
      loadBalancerIP: (spec.loadBalancerIP ?? '') !== '',
      externalIPs: (spec.externalIPs ?? []).length > 0,
      SessionAffinity: spec.sessionAffinity !== 'None',
    };
    for (const [field, isSaid] of Object.entries(ignored))
      if (isSaid) warnings.push(`spec.${field} is ignored for headless services`);
  }
  if ((spec.externalName ?? '') !== '' && spec.type !== 'ExternalName')
    warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  return warnings;
}
