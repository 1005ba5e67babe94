import type { PolicyRule } from '#kinds/generated/types/rbac_v1.ts';
import type { AccessAttributes } from './authorizer.ts';

/** Whether one RBAC rule allows a request. */
export function ruleAllows(rule: PolicyRule, attributes: AccessAttributes): boolean {
  if (!rule.verbs.includes('*') && !rule.verbs.includes(attributes.verb)) return false;
  if (attributes.resource === '')
    return rule.nonResourceURLs?.some((pattern) => pathMatches(pattern, attributes.path)) ?? false;
  const { apiGroups, resources, resourceNames } = rule;
  if (!(apiGroups?.includes('*') || apiGroups?.includes(attributes.group))) return false;
  if (!(resources !== undefined && resourceMatches(resources, attributes))) return false;
  return resourceNames === undefined || resourceNames.length === 0 || resourceNames.includes(attributes.name);
}

function resourceMatches(resources: readonly string[], { resource, subresource }: AccessAttributes): boolean {
  const full = subresource === '' ? resource : `${resource}/${subresource}`;
  return resources.some(
    (allowed) => allowed === '*' || allowed === full || (subresource !== '' && allowed === `*/${subresource}`),
  );
}

function pathMatches(pattern: string, path: string): boolean {
  return pattern === '*' || pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1)));
}
