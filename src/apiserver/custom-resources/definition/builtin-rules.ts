import type { KindRules } from '#kinds/kind.ts';
import { rulesFor } from '#kinds/rules.ts';
import { policyRules } from '../../admission/policies/rules.ts';
import {
  mutatingConfigurationRules,
  validatingConfigurationRules,
} from '../../admission/webhooks/configuration-rules.ts';
import { apiServiceRules } from '../../aggregation/api-service-rules.ts';
import { trustBundleRules } from '../../certificates/trust-bundle-rules.ts';
import { withSelectors } from '../../devices/selectors.ts';
import type { RulesOf } from '../../resources/resource.ts';
import type { RuleEngine } from '../rules-hook.ts';
import { definitionRules } from './rules.ts';

/** Rules of built-in kinds, with those of kinds that say what the server itself serves. */
export function builtinRules(engine: RuleEngine): RulesOf {
  // A generic table meets typed kinds.
  const own: Readonly<Record<string, KindRules>> = {
    'apiextensions.k8s.io/customresourcedefinitions': definitionRules(engine) as unknown as KindRules,
    'admissionregistration.k8s.io/mutatingwebhookconfigurations': mutatingConfigurationRules as unknown as KindRules,
    'admissionregistration.k8s.io/validatingwebhookconfigurations':
      validatingConfigurationRules as unknown as KindRules,
    ...policyRules,
    'certificates.k8s.io/clustertrustbundles': trustBundleRules as unknown as KindRules,
    'apiregistration.k8s.io/apiservices': apiServiceRules as unknown as KindRules,
  };
  return (row) => withSelectors(row, { ...rulesFor(row), ...own[`${row.group}/${row.resource}`] });
}
