import type { ClusterRole, Role } from '#kinds/generated/types/rbac_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { validateClusterRole, validateRole } from '../validation.ts';

export const roleRules: KindRules<Role> = {
  validate: validateRole,
  nameRule: 'pathSegment',
  allowCreateOnUpdate: true,
};

export const clusterRoleRules: KindRules<ClusterRole> = {
  validate: validateClusterRole,
  nameRule: 'pathSegment',
  allowCreateOnUpdate: true,
};
