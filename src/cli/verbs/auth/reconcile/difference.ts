import type { ClusterRole, ClusterRoleBinding, PolicyRule, RoleRef, Subject } from '#kinds/generated/types/rbac_v1.ts';
import { missingRules } from '#kinds/rbac/rules.ts';
import { equalValues } from '#machinery/equality.ts';

export type RoleLike = ClusterRole;
export type BindingLike = ClusterRoleBinding;
export type Step = 'none' | 'create' | 'update' | 'recreate';

/** What has to happen so that the server has what a manifest says. */
export interface Difference<Thing, Part> {
  readonly step: Step;
  /** The object as it shall be. */
  readonly result: Thing;
  readonly missing: readonly Part[];
  readonly extra: readonly Part[];
  /** Its owner wants nobody to reconcile it. */
  readonly isProtected: boolean;
}

const optOutAnnotation = 'rbac.authorization.kubernetes.io/autoupdate';

/** Roles grow by what the manifest grants beyond them; they lose the rest only with `removeExtra`. */
export function roleDifference(
  wanted: RoleLike,
  live: RoleLike | undefined,
  { removeExtra }: { readonly removeExtra: boolean },
): Difference<RoleLike, PolicyRule> {
  const rules = wanted.rules ?? [];
  const written = { ...wanted, rules: wanted.rules ?? null } as unknown as RoleLike;
  if (live === undefined) return { step: 'create', result: written, missing: rules, extra: [], isProtected: false };
  const liveRules = live.rules ?? [];
  const missing = missingRules(liveRules, rules);
  const extra = missingRules(rules, liveRules);
  const isOff = missing.length > 0 || (removeExtra && extra.length > 0);
  const after: RoleLike = {
    ...withMetadataOf(live, wanted),
    ...(isOff ? { rules: removeExtra ? rules : [...liveRules, ...missing] } : {}),
    ...aggregationOf(wanted, live, removeExtra),
  };
  return { ...stepTo(live, after), missing, extra, isProtected: isProtected(live) };
}

function aggregationOf(wanted: RoleLike, live: RoleLike, removeExtra: boolean): Partial<RoleLike> {
  const [then, now] = [selectorsOf(wanted), selectorsOf(live)];
  const missing = then.filter((selector) => !now.some((other) => equalValues(selector, other)));
  const extra = now.filter((selector) => !then.some((other) => equalValues(selector, other)));
  if (missing.length === 0 && !(removeExtra && extra.length > 0)) return {};
  return { aggregationRule: { clusterRoleSelectors: removeExtra ? then : [...now, ...missing] } };
}

const selectorsOf = ({ aggregationRule }: RoleLike) => aggregationRule?.clusterRoleSelectors ?? [];

/** Bindings gain subjects likewise. What a binding leads to cannot change, so that takes another binding. */
export function bindingDifference(
  wanted: BindingLike,
  live: BindingLike | undefined,
  { removeExtra }: { readonly removeExtra: boolean },
): Difference<BindingLike, Subject> {
  const subjects = wanted.subjects ?? [];
  if (live === undefined) return { step: 'create', result: wanted, missing: subjects, extra: [], isProtected: false };
  const liveSubjects = live.subjects ?? [];
  if (!isSameRole(wanted.roleRef, live.roleRef)) {
    return { step: 'recreate', result: wanted, missing: [], extra: [], isProtected: isProtected(live) };
  }
  const missing = subjectsBeyond(subjects, liveSubjects);
  const extra = subjectsBeyond(liveSubjects, subjects);
  const isOff = missing.length > 0 || (removeExtra && extra.length > 0);
  const after: BindingLike = {
    ...withMetadataOf(live, wanted),
    ...(isOff ? { subjects: removeExtra ? subjects : [...liveSubjects, ...missing] } : {}),
  };
  return { ...stepTo(live, after), missing, extra, isProtected: isProtected(live) };
}

/** Those that the others lack, each once. */
function subjectsBeyond(subjects: readonly Subject[], others: readonly Subject[]): readonly Subject[] {
  return subjects.filter(
    (subject, index) =>
      !others.some((other) => isSameSubject(subject, other)) &&
      subjects.findIndex((other) => isSameSubject(subject, other)) === index,
  );
}

function stepTo<Thing extends object>(live: Thing, after: Thing): { readonly step: Step; readonly result: Thing } {
  return equalValues(live, after) ? { step: 'none', result: live } : { step: 'update', result: after };
}

const isSameRole = (left: RoleRef, right: RoleRef): boolean => left.kind === right.kind && left.name === right.name;

const isSameSubject = (left: Subject, right: Subject): boolean =>
  left.kind === right.kind &&
  left.name === right.name &&
  (left.apiGroup ?? '') === (right.apiGroup ?? '') &&
  (left.namespace ?? '') === (right.namespace ?? '');

const isProtected = (live: RoleLike | BindingLike): boolean =>
  live.metadata.annotations?.[optOutAnnotation] === 'false';

/** Labels and annotations are added; those that are there stay as they are. */
function withMetadataOf<Thing extends RoleLike | BindingLike>(live: Thing, wanted: Thing): Thing {
  const merged = (key: 'labels' | 'annotations') => {
    const both = { ...wanted.metadata[key], ...live.metadata[key] };
    return Object.keys(both).length === 0 ? {} : { [key]: both };
  };
  return { ...live, metadata: { ...live.metadata, ...merged('labels'), ...merged('annotations') } };
}
