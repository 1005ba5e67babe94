import type * as core from '#kinds/generated/types/core_v1.ts';
import type { LabelSelector, Mutable } from '#machinery/meta.ts';

/** KEP-3633: label keys of pod affinities become requirements with the pod's own values, once, at creation. */
export function applyLabelKeys(pod: Mutable<core.Pod>): void {
  const labels = pod.metadata.labels ?? {};
  const { affinity } = pod.spec;
  for (const term of [...termsOf(affinity?.podAffinity), ...termsOf(affinity?.podAntiAffinity)]) {
    if (term.labelSelector === undefined) continue;
    require(term.labelSelector, 'In', term.matchLabelKeys, labels);
    require(term.labelSelector, 'NotIn', term.mismatchLabelKeys, labels);
  }
  for (const constraint of pod.spec.topologySpreadConstraints ?? []) {
    if (constraint.labelSelector === undefined) continue;
    require(constraint.labelSelector, 'In', constraint.matchLabelKeys, labels);
  }
}

function termsOf(
  affinity: Mutable<core.PodAffinity> | Mutable<core.PodAntiAffinity> | undefined,
): Mutable<core.PodAffinityTerm>[] {
  const preferred = affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return [
    ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...preferred.map((weighted) => weighted.podAffinityTerm),
  ];
}

function require(
  selector: Mutable<LabelSelector>,
  operator: 'In' | 'NotIn',
  keys: readonly string[] | undefined,
  labels: Readonly<Record<string, string>>,
): void {
  for (const key of keys ?? []) {
    const value = labels[key];
    if (value === undefined) continue;
    selector.matchExpressions = [...(selector.matchExpressions ?? []), { key, operator, values: [value] }];
  }
}
