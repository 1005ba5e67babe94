import type { Authorizer } from './authorizer.ts';
import type { RbacAuthorizer } from './rbac.ts';
import { ruleAllows } from './rules.ts';

/**
 * What node agents may do: the rules of the role `system:node`. Which objects each node may see is not yet narrowed
 * down to those of its own pods.
 */
export function nodeAuthorizer(rbac: RbacAuthorizer): Authorizer {
  return {
    authorize(attributes) {
      if (!attributes.user.groups.includes('system:nodes')) return { outcome: 'noOpinion', reason: '' };
      const rules = rbac.rulesOf(
        { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:node' },
        '',
      );
      return { outcome: rules.some((rule) => ruleAllows(rule, attributes)) ? 'allow' : 'noOpinion', reason: '' };
    },
  };
}
