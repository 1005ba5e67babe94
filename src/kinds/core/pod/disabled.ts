import type * as core from '#kinds/generated/types/core_v1.ts';
import type { RuleContext } from '#kinds/kind.ts';
import type { Mutable } from '#machinery/meta.ts';

/** Sources of projected volumes by the feature gate that they need. */
const gates = { clusterTrustBundle: 'ClusterTrustBundleProjection', podCertificate: 'PodCertificateRequest' } as const;

/** What a disabled feature would bring into a new pod is left out; the source stays, with nothing in it. */
export function dropDisabledProjections(spec: Mutable<core.PodSpec>, { featureEnabled }: RuleContext): void {
  for (const { projected } of spec.volumes ?? [])
    for (const source of projected?.sources ?? [])
      for (const name of ['clusterTrustBundle', 'podCertificate'] as const)
        if (source[name] !== undefined && !featureEnabled(gates[name])) delete source[name];
}
