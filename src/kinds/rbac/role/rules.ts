import type { ClusterRole, Role } from '#kinds/generated/types/rbac_v1.ts';
import type { KindRules } from '#kinds/kind.ts';

export const roleRules: KindRules<Role> = {
  nameRule: 'pathSegment',
  allowCreateOnUpdate: true,
};

export const clusterRoleRules: KindRules<ClusterRole> = {
  nameRule: 'pathSegment',
  allowCreateOnUpdate: true,
};
