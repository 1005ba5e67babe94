import type { Client } from '#client/client.ts';
import type { ClusterRole, ClusterRoleBinding, Subject } from '#kinds/generated/types/rbac_v1.ts';
import type { Kind } from '#kinds/kind.ts';
import { missingRules } from '#kinds/rbac/rules.ts';
import { equalValues } from '#machinery/equality.ts';
import type { ApiObject } from '#machinery/meta.ts';

const autoUpdate = 'rbac.authorization.kubernetes.io/autoupdate';

/**
 * Gives a default role or binding back what it lost since the last start, and what this version grants anew; what
 * was added stays. Annotated `autoupdate: "false"` it is left alone.
 * https://kubernetes.io/docs/reference/access-authn-authz/rbac/#auto-reconciliation
 */
export async function repair(client: Client, kind: Kind, current: ApiObject, wanted: ApiObject): Promise<void> {
  if (current.metadata.annotations?.[autoUpdate] === 'false') return;
  if (kind.kind.endsWith('Binding')) return repairBinding(client, kind, current, wanted);
  const repaired = { ...(withMetadata(current, wanted) as ClusterRole), ...rulesOf(current, wanted) };
  if (!equalValues(repaired, current)) await client.update(kind, repaired);
}

function rulesOf(current: ClusterRole | ApiObject, wanted: ClusterRole | ApiObject): Partial<ClusterRole> {
  const { aggregationRule, rules: wantedRules } = wanted as ClusterRole;
  // The rules of a role that is put together from others are a controller's.
  if (aggregationRule !== undefined && aggregationRule !== null) return { aggregationRule };
  const rules = (current as ClusterRole).rules ?? [];
  if (equalValues(rules, wantedRules ?? [])) return {};
  const missing = missingRules(rules, wantedRules ?? []);
  return missing.length === 0 ? {} : { rules: [...rules, ...missing] };
}

async function repairBinding(client: Client, kind: Kind, current: ApiObject, wanted: ApiObject): Promise<void> {
  const { roleRef, subjects = [] } = current as ClusterRoleBinding;
  const expected = wanted as ClusterRoleBinding;
  const { name = '', namespace, uid } = current.metadata;
  if (roleRef.kind !== expected.roleRef.kind || roleRef.name !== expected.roleRef.name) {
    await client.delete(kind, { name, namespace }, uid === undefined ? {} : { preconditions: { uid } });
    await client.create(kind, wanted);
    return;
  }
  const missing = (expected.subjects ?? []).filter((subject) => !subjects.some((known) => sameSubject(known, subject)));
  const repaired = withMetadata(current, wanted) as ClusterRoleBinding;
  const whole = missing.length === 0 ? repaired : { ...repaired, subjects: [...subjects, ...missing] };
  if (!equalValues(whole, current)) await client.update(kind, whole);
}

function sameSubject(left: Subject, right: Subject): boolean {
  return left.kind === right.kind && left.name === right.name && (left.namespace ?? '') === (right.namespace ?? '');
}

function withMetadata(current: ApiObject, { metadata: wanted }: ApiObject): ApiObject {
  const { labels, annotations } = current.metadata;
  const hasAll = (now: Readonly<Record<string, string>> | undefined, then: Readonly<Record<string, string>> = {}) =>
    Object.entries(then).every(([key]) => now?.[key] !== undefined);
  if (hasAll(labels, wanted.labels) && hasAll(annotations, wanted.annotations)) return current;
  const metadata = {
    ...current.metadata,
    labels: { ...wanted.labels, ...labels },
    annotations: { ...wanted.annotations, ...annotations },
  };
  return { ...current, metadata };
}
