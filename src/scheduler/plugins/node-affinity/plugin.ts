import { nodeSelectorTermMatches, podAdmitsNode } from '#kinds/core/pod/node-affinity.ts';
import type { PodSpec } from '#kinds/generated/types/core_v1.ts';
import { defineSchedulerPlugin, normalizeScores, type PreparedPlugin, unresolvable } from '../../framework.ts';

const rejection = unresolvable("node(s) didn't match Pod's node affinity/selector");

/** nodeSelector, required and preferred node affinity. */
export const nodeAffinity = defineSchedulerPlugin({
  name: 'NodeAffinity',
  weight: 2,
  prepare({ pod: { spec } }) {
    if (spec === undefined || (spec.nodeSelector === undefined && spec.affinity?.nodeAffinity === undefined))
      return 'skip';
    const candidates = namedNodes(spec);
    return { filter: filterBy(spec), ...preference(spec), ...(candidates === undefined ? {} : { candidates }) };
  },
  wakes: (event, { pod: { spec } }) =>
    (event.type === 'nodeAdded' || event.type === 'nodeUpdated') &&
    spec !== undefined &&
    podAdmitsNode(spec, event.node),
});

function filterBy(spec: PodSpec): NonNullable<PreparedPlugin['filter']> {
  return ({ node }) => (node !== undefined && podAdmitsNode(spec, node) ? undefined : rejection);
}

function preference(spec: PodSpec): PreparedPlugin {
  const preferred = spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  if (preferred.length === 0) return {};
  return {
    score({ node }) {
      if (node === undefined) return 0;
      return preferred.reduce(
        (sum, { weight, preference }) => (nodeSelectorTermMatches(preference, node) ? sum + weight : sum),
        0,
      );
    },
    normalize: (scores) => normalizeScores(scores, { reverse: false }),
  };
}

/** Where every term names its node, as the DaemonSet controller's pods do, the others need not be asked. */
function namedNodes(spec: PodSpec): readonly string[] | undefined {
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (terms === undefined) return undefined;
  const names: string[] = [];
  for (const { matchFields = [] } of terms) {
    const field = matchFields.find(({ key, operator }) => key === 'metadata.name' && operator === 'In');
    if (field === undefined) return undefined;
    names.push(...(field.values ?? []));
  }
  return names;
}
