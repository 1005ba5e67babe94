import type { ServedResource } from '../../resources/resource.ts';
import type { AdmissionOperation } from '../plugin.ts';

/** `rules` of a webhook and `resourceRules` of a policy (admissionregistration.k8s.io). */
export interface ResourceRule {
  readonly operations?: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly apiVersions?: readonly string[];
  readonly resources?: readonly string[];
  readonly scope?: string;
  /** Of policies: names that the rule is limited to. */
  readonly resourceNames?: readonly string[];
}

/** Whether a rule is about an operation on a resource in this version; `resourceNames` are left to the caller. */
export function ruleCovers(
  rule: ResourceRule,
  operation: AdmissionOperation,
  { kind }: ServedResource,
  subresource: string,
): boolean {
  return (
    includesOrAll(rule.operations, operation) &&
    includesOrAll(rule.apiGroups, kind.group) &&
    includesOrAll(rule.apiVersions, kind.version) &&
    inScope(rule.scope, kind.namespaced) &&
    (rule.resources ?? []).some((pattern) => resourceCovered(pattern, kind.resource, subresource))
  );
}

function includesOrAll(values: readonly string[] | undefined, wanted: string): boolean {
  return values?.includes('*') === true || values?.includes(wanted) === true;
}

function inScope(scope: string | undefined, namespaced: boolean): boolean {
  if (scope === undefined || scope === '' || scope === '*') return true;
  return scope === (namespaced ? 'Namespaced' : 'Cluster');
}

/** `pods`, `pods/log`, all of `pods`, everything, or one subresource of everything: a star stands for any. */
function resourceCovered(pattern: string, resource: string, subresource: string): boolean {
  const slash = pattern.indexOf('/');
  const [wanted, part] = slash < 0 ? [pattern, ''] : [pattern.slice(0, slash), pattern.slice(slash + 1)];
  return (wanted === '*' || wanted === resource) && (part === '*' || part === subresource);
}
