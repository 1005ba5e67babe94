import { podAdmitsNode } from '#kinds/core/pod/node-affinity.ts';
import { untoleratedTaint } from '#kinds/core/pod/tolerations.ts';
import type { Pod, TopologySpreadConstraint } from '#kinds/generated/types/core_v1.ts';
import { selects } from '#machinery/labels.ts';
import type { LabelSelector } from '#machinery/meta.ts';
import { defineSchedulerPlugin, maxScore, type Snapshot, unresolvable, unschedulable } from '../../framework.ts';
import type { NodeInfo } from '../../node-info.ts';
import type { PodInfo } from '../../pod-info.ts';

const skewed = unschedulable("node(s) didn't match pod topology spread constraints");
const unlabelled = unresolvable("node(s) didn't match pod topology spread constraints (missing required label)");

/** Spreads pods that select each other evenly over zones, nodes or any other label. */
export const podTopologySpread = defineSchedulerPlugin({
  name: 'PodTopologySpread',
  weight: 2,
  prepare(pod, snapshot) {
    const constraints = pod.pod.spec?.topologySpreadConstraints ?? [];
    if (constraints.length === 0) return 'skip';
    const hard = constraints.filter(({ whenUnsatisfiable }) => whenUnsatisfiable === 'DoNotSchedule');
    const soft = constraints.filter(({ whenUnsatisfiable }) => whenUnsatisfiable === 'ScheduleAnyway');
    const counts = hard.map((constraint) => countDomains(constraint, hard, pod, snapshot));
    return { filter: (node) => rejectionOn(node, counts), ...(soft.length === 0 ? {} : scoring(soft, pod, snapshot)) };
  },
  wakes: (event) => event.type !== 'volumesChanged',
});

interface Counts {
  readonly constraint: TopologySpreadConstraint;
  /** Matching pods by topology value. */
  readonly pods: ReadonlyMap<string, number>;
  /** The smallest count of any domain, or 0 while there are fewer domains than asked for. */
  readonly least: number;
  /** Whether the pod counts itself. */
  readonly self: number;
}

function countDomains(
  constraint: TopologySpreadConstraint,
  all: readonly TopologySpreadConstraint[],
  pod: PodInfo,
  snapshot: Snapshot,
): Counts {
  const selector = selectorOf(constraint, pod.pod);
  const pods = new Map<string, number>();
  for (const node of snapshot.nodes) {
    const value = node.labels[constraint.topologyKey];
    if (value === undefined || !isCounted(constraint, pod.pod, node)) continue;
    if (!all.every(({ topologyKey }) => node.labels[topologyKey] !== undefined)) continue;
    pods.set(value, (pods.get(value) ?? 0) + matchingPods(node, selector, pod.pod));
  }
  const enough = pods.size >= (constraint.minDomains ?? 1);
  const least = enough && pods.size > 0 ? Math.min(...pods.values()) : 0;
  return { constraint, pods, least, self: selects(selector, pod.pod.metadata.labels) ? 1 : 0 };
}

function rejectionOn(node: NodeInfo, counts: readonly Counts[]) {
  for (const { constraint, pods, least, self } of counts) {
    const value = node.labels[constraint.topologyKey];
    if (value === undefined) return unlabelled;
    if ((pods.get(value) ?? 0) + self - least > constraint.maxSkew) return skewed;
  }
  return undefined;
}

function matchingPods(node: NodeInfo, selector: LabelSelector | undefined, pod: Pod): number {
  let count = 0;
  for (const { pod: other } of node.pods.values()) {
    if (other.metadata.namespace !== pod.metadata.namespace || other.metadata.deletionTimestamp !== undefined) continue;
    if (selects(selector, other.metadata.labels)) count++;
  }
  return count;
}

/** Whether the node takes part: by default where node affinity admits the pod, whatever its taints. */
function isCounted(constraint: TopologySpreadConstraint, pod: Pod, node: NodeInfo): boolean {
  if (node.node === undefined || pod.spec === undefined) return false;
  if ((constraint.nodeAffinityPolicy ?? 'Honor') === 'Honor' && !podAdmitsNode(pod.spec, node.node)) return false;
  if ((constraint.nodeTaintsPolicy ?? 'Ignore') === 'Ignore') return true;
  return untoleratedTaint(node.node.spec?.taints, pod.spec.tolerations, ['NoSchedule', 'NoExecute']) === undefined;
}

function selectorOf(
  { labelSelector, matchLabelKeys = [] }: TopologySpreadConstraint,
  pod: Pod,
): LabelSelector | undefined {
  if (labelSelector === undefined || matchLabelKeys.length === 0) return labelSelector;
  const labels = pod.metadata.labels ?? {};
  const added = matchLabelKeys.flatMap((key) =>
    labels[key] === undefined ? [] : [{ key, operator: 'In', values: [labels[key]] }],
  );
  return { ...labelSelector, matchExpressions: [...(labelSelector.matchExpressions ?? []), ...added] };
}

/** Fewer matching pods in the node's domains score higher; a constraint over many domains weighs more. */
function scoring(soft: readonly TopologySpreadConstraint[], pod: PodInfo, snapshot: Snapshot) {
  const counts = soft.map((constraint) => {
    const { pods } = countDomains(constraint, [], pod, snapshot);
    return { constraint, pods, weight: Math.log(pods.size + 2) };
  });
  const ignored = (node: NodeInfo) => soft.some(({ topologyKey }) => node.labels[topologyKey] === undefined);
  return {
    score(node: NodeInfo): number {
      if (ignored(node)) return -1;
      const sum = counts.reduce((total, { constraint, pods, weight }) => {
        const here = pods.get(node.labels[constraint.topologyKey] ?? '') ?? 0;
        return total + here * weight + (constraint.maxSkew - 1);
      }, 0);
      return Math.round(sum);
    },
    normalize(scores: number[]): void {
      const real = scores.filter((score) => score >= 0);
      const most = Math.max(0, ...real);
      const least = real.length === 0 ? 0 : Math.min(...real);
      for (const [index, score] of scores.entries()) {
        if (score < 0) scores[index] = 0;
        else scores[index] = most === 0 ? maxScore : Math.floor((maxScore * (most + least - score)) / most);
      }
    },
  };
}
