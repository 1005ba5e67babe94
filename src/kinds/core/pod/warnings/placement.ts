import type * as core from '#kinds/generated/types/core_v1.ts';
import { labelValueProblems } from '#machinery/names.ts';

const oldLabels: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region': 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone': 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type': 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
  'app.kubernetes.io/created-by': 'deprecated since v1.9',
  'scheduler.alpha.kubernetes.io/preferAvoidPods': 'deprecated since v1.22; use Taints and Tolerations instead',
  'node-role.kubernetes.io/master': 'use "node-role.kubernetes.io/control-plane" instead',
};

/** How a label of nodes is out of use; undefined when it is not. */
function labelDeprecation(key: string): string | undefined {
  return Object.hasOwn(oldLabels, key) ? oldLabels[key] : undefined;
}

const matchesNothing = 'a null labelSelector results in matching no pod';

/** Labels that nodes are chosen by, and constraints that hold for no pods. */
export function placementWarnings(spec: core.PodSpec, path: string): string[] {
  const warnings: string[] = [];
  for (const key of Object.keys(spec.nodeSelector ?? {})) {
    const message = labelDeprecation(key);
    if (message !== undefined) warnings.push(`${path}.nodeSelector[${key}]: ${message}`);
  }
  const nodes = spec.affinity?.nodeAffinity;
  if (nodes !== undefined) warnings.push(...nodeAffinityWarnings(nodes, `${path}.affinity.nodeAffinity`));
  for (const [index, constraint] of (spec.topologySpreadConstraints ?? []).entries()) {
    const at = `${path}.topologySpreadConstraints[${index}]`;
    const message = labelDeprecation(constraint.topologyKey);
    if (message !== undefined) warnings.push(`${at}.topologyKey: ${constraint.topologyKey} is ${message}`);
    if (constraint.labelSelector === undefined) warnings.push(`${at}.labelSelector: ${matchesNothing}`);
  }
  return warnings;
}

function nodeAffinityWarnings(affinity: core.NodeAffinity, path: string): string[] {
  const required = affinity.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const preferred = affinity.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return [
    ...required.flatMap((term, index) => {
      const at = `${path}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${index}]`;
      return termWarnings(term, at, 'keys');
    }),
    ...preferred.flatMap(({ preference }, index) => {
      const at = `${path}.preferredDuringSchedulingIgnoredDuringExecution[${index}].preference`;
      return termWarnings(preference, at, 'keys and values');
    }),
  ];
}

/** @param looksAt of preferences the values, too: they are not validated */
export function termWarnings(term: core.NodeSelectorTerm, path: string, looksAt: 'keys' | 'keys and values'): string[] {
  const warnings: string[] = [];
  for (const [index, { key, values = [] }] of (term.matchExpressions ?? []).entries()) {
    const at = `${path}.matchExpressions[${index}]`;
    const message = labelDeprecation(key);
    if (message !== undefined) warnings.push(`${at}.key: ${key} is ${message}`);
    if (looksAt === 'keys') continue;
    for (const [place, value] of values.entries())
      for (const problem of labelValueProblems(value))
        warnings.push(`${at}.values[${place}]: ${value} is invalid, ${problem}`);
  }
  return warnings;
}

/** Terms that hold for no pods. */
export function selectorWarnings(affinity: core.Affinity, path: string): string[] {
  const warnings: string[] = [];
  for (const field of ['podAffinity', 'podAntiAffinity'] as const) {
    const terms = affinity[field];
    const at = `${path}.${field}`;
    for (const [index, { labelSelector }] of (terms?.requiredDuringSchedulingIgnoredDuringExecution ?? []).entries())
      if (labelSelector === undefined)
        warnings.push(
          `${at}.requiredDuringSchedulingIgnoredDuringExecution[${index}].labelSelector: ${matchesNothing}`,
        );
    for (const [index, { podAffinityTerm: term }] of (
      terms?.preferredDuringSchedulingIgnoredDuringExecution ?? []
    ).entries()) {
      const place = `${at}.preferredDuringSchedulingIgnoredDuringExecution[${index}]`;
      if (term.labelSelector === undefined) warnings.push(`${place}.podAffinityTerm.labelSelector: ${matchesNothing}`);
    }
  }
  return warnings;
}
