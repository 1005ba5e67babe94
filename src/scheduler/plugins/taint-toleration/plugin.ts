import { tolerates, untoleratedTaint } from '#kinds/core/pod/tolerations.ts';
import { defineSchedulerPlugin, normalizeScores, unresolvable } from '../../framework.ts';

const rejection = unresolvable('node(s) had untolerated taint(s)');
const repelling = ['NoSchedule', 'NoExecute'];

/** Tainted nodes take only pods that tolerate them; PreferNoSchedule taints cost score. */
export const taintToleration = defineSchedulerPlugin({
  name: 'TaintToleration',
  weight: 3,
  prepare({ pod }) {
    const tolerations = pod.spec?.tolerations ?? [];
    const soft = tolerations.filter(({ effect = '' }) => effect === '' || effect === 'PreferNoSchedule');
    return {
      filter({ node }) {
        const taints = node?.spec?.taints;
        if (taints === undefined) return undefined;
        return untoleratedTaint(taints, tolerations, repelling) === undefined ? undefined : rejection;
      },
      score({ node }) {
        let count = 0;
        for (const taint of node?.spec?.taints ?? []) {
          if (taint.effect !== 'PreferNoSchedule') continue;
          if (!soft.some((toleration) => tolerates(toleration, taint))) count++;
        }
        return count;
      },
      normalize: (scores: number[]) => normalizeScores(scores, { reverse: true }),
    };
  },
  wakes: (event, { pod }) =>
    (event.type === 'nodeAdded' || event.type === 'nodeUpdated') &&
    untoleratedTaint(event.node.spec?.taints, pod.spec?.tolerations, repelling) === undefined,
});
