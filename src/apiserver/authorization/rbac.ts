import { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from '#kinds/generated/handles.ts';
import type {
  ClusterRoleBinding as ClusterRoleBindingObject,
  ClusterRole as ClusterRoleObject,
  PolicyRule,
  RoleBinding as RoleBindingObject,
  Role as RoleObject,
  RoleRef,
  Subject,
} from '#kinds/generated/types/rbac_v1.ts';
import type { ResourceCache } from '../cache/resource-cache.ts';
import type { UserInfo } from '../registry/operation.ts';
import type { ResourceTable } from '../resources/resource.ts';
import { objectKey } from '../resources/storage-keys.ts';
import {
  type AccessAttributes,
  type Authorizer,
  abstain,
  type Decision,
  type ListedRules,
  noOpinion,
} from './authorizer.ts';
import { ruleAllows } from './rules.ts';

/** Decisions remembered for one user; beyond it they are worked out again. */
const maxRemembered = 4096;

interface Grant {
  readonly rules: readonly PolicyRule[];
  readonly reason: string;
  /** The role that the binding refers to, when there is none such. */
  readonly missing?: string;
}

type GrantsBySubject = Map<string, Grant[]>;

/** Everything that roles and bindings say, by who it is said of. Thrown away when any of them changes. */
interface Index {
  readonly cluster: GrantsBySubject;
  readonly byNamespace: Map<string, GrantsBySubject>;
  readonly remembered: WeakMap<UserInfo, Map<string, Decision>>;
}

/** Role-based access control: additive rules, from bindings to users, groups and service accounts. */
export class RbacAuthorizer implements Authorizer {
  readonly #roles: ResourceCache;
  readonly #clusterRoles: ResourceCache;
  readonly #bindings: ResourceCache;
  readonly #clusterBindings: ResourceCache;
  #index: Index | undefined;

  constructor(resources: ResourceTable) {
    this.#roles = resources.of(Role).storage!.cache;
    this.#clusterRoles = resources.of(ClusterRole).storage!.cache;
    this.#bindings = resources.of(RoleBinding).storage!.cache;
    this.#clusterBindings = resources.of(ClusterRoleBinding).storage!.cache;
    for (const cache of [this.#roles, this.#clusterRoles, this.#bindings, this.#clusterBindings]) {
      cache.onEvent(() => {
        this.#index = undefined;
      });
    }
  }

  authorize(attributes: AccessAttributes): Decision {
    this.#index ??= this.#build();
    let remembered = this.#index.remembered.get(attributes.user);
    if (remembered === undefined) {
      remembered = new Map();
      this.#index.remembered.set(attributes.user, remembered);
    }
    // Roles know no selectors: the question is the same with and without them.
    const { verb, group, resource, subresource, namespace, name, path } = attributes;
    const key = `${verb} ${group}/${resource}/${subresource} ${namespace}/${name} ${path}`;
    let decision = remembered.get(key);
    if (decision === undefined) {
      decision = this.#decide(this.#index, attributes);
      if (remembered.size >= maxRemembered) remembered.clear();
      remembered.set(key, decision);
    }
    return decision;
  }

  /** All rules that apply to a user in a namespace: for escalation checks and rules reviews. */
  rulesFor(user: UserInfo, namespace: string): ListedRules {
    this.#index ??= this.#build();
    return { rules: [...this.#grants(this.#index, user, namespace)].flatMap(({ rules }) => rules) };
  }

  #granted(ref: RoleRef, namespace: string): Omit<Grant, 'reason'> {
    const isCluster = ref.kind === 'ClusterRole';
    const known = isCluster
      ? this.#clusterRoles.get(ref.name)
      : this.#roles.get(objectKey({ namespace, name: ref.name }));
    if (known !== undefined) return { rules: this.rulesOf(ref, namespace) };
    const kind = isCluster ? 'clusterrole' : 'role';
    return { rules: [], missing: `${kind}.rbac.authorization.k8s.io ${JSON.stringify(ref.name)} not found` };
  }

  /** What a role reference stands for. */
  rulesOf(ref: RoleRef, namespace: string): readonly PolicyRule[] {
    if (ref.kind === 'ClusterRole')
      return (this.#clusterRoles.get(ref.name)?.value.object as ClusterRoleObject | undefined)?.rules ?? [];
    return (
      (this.#roles.get(objectKey({ namespace, name: ref.name }))?.value.object as RoleObject | undefined)?.rules ?? []
    );
  }

  #decide(index: Index, attributes: AccessAttributes): Decision {
    const absent: string[] = [];
    for (const { rules, reason, missing } of this.#grants(index, attributes.user, attributes.namespace)) {
      if (rules.some((rule) => ruleAllows(rule, attributes))) return { outcome: 'allow', reason };
      if (missing !== undefined) absent.push(missing);
    }
    if (absent.length === 0) return noOpinion;
    return abstain(`RBAC: ${absent.length === 1 ? absent[0] : `[${[...new Set(absent)].join(', ')}]`}`);
  }

  *#grants(index: Index, user: UserInfo, namespace: string): Generator<Grant> {
    const subjects = [`User ${user.name}`, ...user.groups.map((group) => `Group ${group}`)];
    const local = namespace === '' ? undefined : index.byNamespace.get(namespace);
    for (const subject of subjects) yield* index.cluster.get(subject) ?? [];
    if (local !== undefined) for (const subject of subjects) yield* local.get(subject) ?? [];
  }

  #build(): Index {
    const index: Index = { cluster: new Map(), byNamespace: new Map(), remembered: new WeakMap() };
    for (const { value } of this.#clusterBindings.entries()) {
      const binding = value.object as ClusterRoleBindingObject;
      const reason = `RBAC: allowed by ClusterRoleBinding "${binding.metadata.name}" of ${binding.roleRef.kind} "${binding.roleRef.name}"`;
      grant(index.cluster, binding.subjects ?? [], { ...this.#granted(binding.roleRef, ''), reason });
    }
    for (const { value } of this.#bindings.entries()) {
      const binding = value.object as RoleBindingObject;
      const namespace = binding.metadata.namespace ?? '';
      const grants = index.byNamespace.get(namespace) ?? new Map<string, Grant[]>();
      index.byNamespace.set(namespace, grants);
      const reason = `RBAC: allowed by RoleBinding "${binding.metadata.name}/${namespace}" of ${binding.roleRef.kind} "${binding.roleRef.name}"`;
      grant(grants, binding.subjects ?? [], { ...this.#granted(binding.roleRef, namespace), reason }, namespace);
    }
    return index;
  }
}

function grant(grants: GrantsBySubject, subjects: readonly Subject[], what: Grant, bindingNamespace = ''): void {
  for (const subject of subjects) {
    const key = subjectKey(subject, bindingNamespace);
    const known = grants.get(key);
    if (known === undefined) grants.set(key, [{ ...what, reason: `${what.reason} to ${described(subject)}` }]);
    else known.push({ ...what, reason: `${what.reason} to ${described(subject)}` });
  }
}

function subjectKey({ kind, name, namespace }: Subject, bindingNamespace: string): string {
  if (kind !== 'ServiceAccount') return `${kind} ${name}`;
  return `User system:serviceaccount:${namespace ?? bindingNamespace}:${name}`;
}

function described({ kind, name, namespace }: Subject): string {
  return `${kind} "${namespace === undefined ? name : `${name}/${namespace}`}"`;
}
