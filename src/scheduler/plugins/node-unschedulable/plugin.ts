import { tolerates } from '#kinds/core/pod/tolerations.ts';
import type { Pod } from '#kinds/generated/types/core_v1.ts';
import { defineSchedulerPlugin, unresolvable } from '../../framework.ts';

const rejection = unresolvable('node(s) were unschedulable');
const cordon = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

/** Cordoned nodes take only pods that tolerate the taint of the same meaning. */
export const nodeUnschedulable = defineSchedulerPlugin({
  name: 'NodeUnschedulable',
  prepare({ pod }) {
    const admitted = toleratesCordon(pod);
    return { filter: ({ node }) => (node?.spec?.unschedulable === true && !admitted ? rejection : undefined) };
  },
  wakes: (event) =>
    event.type === 'nodeAdded' || event.type === 'nodeUpdated' ? event.node.spec?.unschedulable !== true : false,
});

function toleratesCordon(pod: Pod): boolean {
  return (pod.spec?.tolerations ?? []).some((toleration) => tolerates(toleration, cordon));
}
