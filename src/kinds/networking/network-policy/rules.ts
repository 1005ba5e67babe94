import type * as networking from '#kinds/generated/types/networking_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { networkPolicyWarnings, validateNetworkPolicy } from '../validation.ts';

export const networkPolicyRules: KindRules<networking.NetworkPolicy> = {
  validateUpdateOnly: true,
  warnings: networkPolicyWarnings,
  validate: (policy) => validateNetworkPolicy(policy),
  validateUpdate: validateNetworkPolicy,
  defaults({ spec }) {
    if (spec === undefined) return;
    spec.policyTypes ??= (spec.egress ?? []).length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
    for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
      for (const port of rule.ports ?? []) port.protocol ??= 'TCP';
    }
  },
  hasGeneration: true,
  emptyCounts: true,
};
