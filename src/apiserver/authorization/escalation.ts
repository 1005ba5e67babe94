import { ClusterRole, Role } from '#kinds/generated/handles.ts';
import type {
  ClusterRole as ClusterRoleObject,
  PolicyRule,
  RoleBinding,
  Role as RoleObject,
} from '#kinds/generated/types/rbac_v1.ts';
import { missingRules } from '#kinds/rbac/rules.ts';
import { equalValues } from '#machinery/equality.ts';
import { forbidden, notFound } from '#machinery/errors.ts';
import type { ApiObject } from '#machinery/meta.ts';
import type { Operation, UserInfo } from '../registry/operation.ts';
import type { Registry, ResourceHook } from '../registry/registry.ts';
import { objectKey } from '../resources/storage-keys.ts';
import { resourceAttributes } from './authorizer.ts';
import { describeRules, quotedList } from './rules.ts';

const group = 'rbac.authorization.k8s.io';
const everything: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

/** Nobody grants what they do not have, unless they hold `escalate` on the role or `bind` on what a binding refers to. */
export const roleHook: ResourceHook = { admit: admitRole };
export const bindingHook: ResourceHook = { admit: admitBinding };

async function admitRole(registry: Registry, operation: Operation, object: ApiObject, old?: ApiObject): Promise<void> {
  const { user, resource, namespace } = operation;
  if (isPrivileged(user) || onlyCollected(object, old)) return;
  const { name = '' } = object.metadata;
  const escalate = resourceAttributes({
    user,
    verb: 'escalate',
    group,
    version: 'v1',
    resource: resource.kind.resource,
  });
  const { outcome } = await registry.authorizer.authorize({ ...escalate, namespace, name: operation.name });
  if (outcome === 'allow') return;
  const { rules = [], aggregationRule } = object as ClusterRoleObject;
  confirmNoEscalation(registry, operation, rules, name);
  const aggregates =
    aggregationRule !== undefined || (old as ClusterRoleObject | undefined)?.aggregationRule !== undefined;
  if (!aggregates || missingRules(registry.rbac.rulesFor(user, namespace).rules, everything).length === 0) return;
  throw forbidden(resource.kind, name, 'must have cluster-admin privileges to use the aggregationRule');
}

async function admitBinding(
  registry: Registry,
  operation: Operation,
  object: ApiObject,
  old?: ApiObject,
): Promise<void> {
  const { user, namespace } = operation;
  if (isPrivileged(user) || onlyCollected(object, old)) return;
  const { roleRef, metadata, subjects } = object as RoleBinding;
  if (old !== undefined && equalValues(subjects, (old as RoleBinding).subjects)) return;
  const resource = roleRef.kind === 'ClusterRole' ? 'clusterroles' : 'roles';
  const bind = resourceAttributes({
    user,
    verb: 'bind',
    group,
    version: 'v1',
    resource,
    namespace,
    name: roleRef.name,
  });
  const { outcome } = await registry.authorizer.authorize(bind);
  if (outcome === 'allow') return;
  const kind = roleRef.kind === 'ClusterRole' ? ClusterRole : Role;
  const key = roleRef.kind === 'ClusterRole' ? roleRef.name : objectKey({ namespace, name: roleRef.name });
  const role = registry.resources.of(kind).storage!.cache.get(key)?.value.object as RoleObject | undefined;
  if (role === undefined) throw notFound(operation.resource.kind, roleRef.name);
  confirmNoEscalation(registry, operation, role.rules ?? [], metadata.name ?? '');
}

function isPrivileged(user: UserInfo): boolean {
  return user.groups.includes('system:masters');
}

/** The garbage collector changes owners and finalizers of roles that it could not grant. */
function onlyCollected(object: ApiObject, old: ApiObject | undefined): boolean {
  if (old === undefined) return false;
  const rest = ({ metadata, ...others }: ApiObject) => {
    const { ownerReferences: _owners, finalizers: _finalizers, managedFields: _managers, ...meta } = metadata;
    return { ...others, metadata: meta };
  };
  return equalValues(rest(object), rest(old));
}

function confirmNoEscalation(
  registry: Registry,
  { user, namespace, resource }: Operation,
  wanted: readonly PolicyRule[],
  name: string,
): void {
  const missing = missingRules(registry.rbac.rulesFor(user, namespace).rules, wanted);
  if (missing.length === 0) return;
  const lines = describeRules(missing).join('\n');
  const who = `user ${JSON.stringify(user.name)} (groups=${quotedList(user.groups)})`;
  throw forbidden(resource.kind, name, `${who} is attempting to grant RBAC permissions not currently held:\n${lines}`);
}
