import type * as rbac from '#kinds/generated/types/rbac_v1.ts';
import { goStruct } from '#kinds/go-struct.ts';
import { each, invalidAll, validateLabelSelector } from '#kinds/validation/common.ts';
import { equalValues } from '#machinery/equality.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { pathSegmentProblems, subdomainProblems } from '#machinery/names.ts';

const group = 'rbac.authorization.k8s.io';

export function validateRole({ rules }: rbac.Role): FieldError[] {
  return each(rules, 'rules', (rule, path) => validateRule(rule, path, 'namespace'));
}

export function validateClusterRole({ rules, aggregationRule }: rbac.ClusterRole): FieldError[] {
  const errors = each(rules, 'rules', (rule, path) => validateRule(rule, path, 'cluster'));
  if (aggregationRule === undefined) return errors;
  const path = 'aggregationRule.clusterRoleSelectors';
  if ((aggregationRule.clusterRoleSelectors ?? []).length === 0) {
    errors.push(fieldError.required(path, 'at least one clusterRoleSelector required if aggregationRule is non-nil'));
  }
  return [
    ...errors,
    ...each(aggregationRule.clusterRoleSelectors, path, (selector, at) => {
      const problems = validateLabelSelector(selector, at);
      return problems.length === 0 ? [] : [...problems, fieldError.invalid(at, null, 'invalid label selector.')];
    }),
  ];
}

type Scope = 'namespace' | 'cluster';

function validateRule(rule: rbac.PolicyRule, path: string, scope: Scope): FieldError[] {
  const { verbs = [], nonResourceURLs: urls = [], apiGroups = [], resources = [], resourceNames = [] } = rule;
  const errors: FieldError[] = [];
  if (verbs.length === 0) errors.push(fieldError.required(`${path}.verbs`, 'verbs must contain at least one value'));
  if (urls.length > 0) {
    if (scope === 'namespace') {
      const detail = 'namespaced rules cannot apply to non-resource URLs';
      errors.push(fieldError.invalid(`${path}.nonResourceURLs`, urls, detail));
    }
    if (apiGroups.length + resources.length + resourceNames.length > 0) {
      const detail = 'rules cannot apply to both regular resources and non-resource URLs';
      errors.push(fieldError.invalid(`${path}.nonResourceURLs`, urls, detail));
    }
    return errors;
  }
  if (apiGroups.length === 0) {
    errors.push(fieldError.required(`${path}.apiGroups`, 'resource rules must supply at least one api group'));
  }
  if (resources.length === 0) {
    errors.push(fieldError.required(`${path}.resources`, 'resource rules must supply at least one resource'));
  }
  return errors;
}

export function validateRoleBinding(binding: rbac.RoleBinding): FieldError[] {
  return validateBinding(binding, ['Role', 'ClusterRole'], 'namespace');
}

export function validateClusterRoleBinding(binding: rbac.ClusterRoleBinding): FieldError[] {
  return validateBinding(binding, ['ClusterRole'], 'cluster');
}

function validateBinding(binding: rbac.RoleBinding, kinds: readonly string[], scope: Scope): FieldError[] {
  const { apiGroup = '', kind = '', name = '' } = binding.roleRef;
  const errors: FieldError[] = [];
  if (apiGroup !== group) errors.push(fieldError.notSupported('roleRef.apiGroup', apiGroup, [group]));
  if (!kinds.includes(kind)) errors.push(fieldError.notSupportedInOrder('roleRef.kind', kind, kinds));
  if (name === '') errors.push(fieldError.required('roleRef.name'));
  else errors.push(...invalidAll('roleRef.name', name, pathSegmentProblems(name)));
  return [...errors, ...each(binding.subjects, 'subjects', (subject, path) => validateSubject(subject, path, scope))];
}

/** A service account may leave its namespace to a binding that has one. */
function validateSubject(
  { kind, name = '', namespace = '', apiGroup = '' }: rbac.Subject,
  path: string,
  scope: Scope,
): FieldError[] {
  const errors = name === '' ? [fieldError.required(`${path}.name`)] : [];
  if (kind === 'ServiceAccount') {
    if (name !== '') errors.push(...invalidAll(`${path}.name`, name, subdomainProblems(name)));
    if (apiGroup !== '') errors.push(fieldError.notSupported(`${path}.apiGroup`, apiGroup, ['']));
    if (namespace === '' && scope === 'cluster') errors.push(fieldError.required(`${path}.namespace`));
  } else if (kind === 'User' || kind === 'Group') {
    if (apiGroup !== group) errors.push(fieldError.notSupported(`${path}.apiGroup`, apiGroup, [group]));
  } else {
    errors.push(fieldError.notSupportedInOrder(`${path}.kind`, kind, ['ServiceAccount', 'User', 'Group']));
  }
  return errors;
}

/** What a binding grants is its identity: another role is another binding. */
export function validateBindingUpdate(binding: rbac.RoleBinding, old: rbac.RoleBinding): FieldError[] {
  if (equalValues(binding.roleRef, old.roleRef)) return [];
  return [fieldError.invalid('roleRef', goStruct('rbac.RoleRef', binding.roleRef), 'cannot change roleRef')];
}
