import type { ClusterRoleBinding, RoleBinding } from '#kinds/generated/types/rbac_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import type { Mutable } from '#machinery/meta.ts';
import { validateBindingUpdate, validateClusterRoleBinding, validateRoleBinding } from '../validation.ts';

const group = 'rbac.authorization.k8s.io';

function defaults(binding: Mutable<RoleBinding>): void {
  if ((binding.roleRef.apiGroup ?? '') === '') binding.roleRef.apiGroup = group;
  for (const subject of binding.subjects ?? []) {
    if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ??= group;
  }
}

export const roleBindingRules: KindRules<RoleBinding> = {
  validate: validateRoleBinding,
  validateUpdate: validateBindingUpdate,
  defaults,
  nameRule: 'pathSegment',
  allowCreateOnUpdate: true,
};

export const clusterRoleBindingRules: KindRules<ClusterRoleBinding> = {
  validate: validateClusterRoleBinding,
  validateUpdate: validateBindingUpdate,
  defaults,
  nameRule: 'pathSegment',
  allowCreateOnUpdate: true,
};
