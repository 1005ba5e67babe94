import { amountsOf } from '#kinds/core/pod/requests.ts';
import type { Node } from '#kinds/generated/types/core_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import { defineSchedulerPlugin, maxScore, type Rejection } from '../../framework.ts';
import type { NodeInfo } from '../../node-info.ts';
import { type PodInfo, podInfo } from '../../pod-info.ts';

/** The node must have room for the pod's requests; the emptier it stays, the better (LeastAllocated). */
export const nodeResourcesFit = defineSchedulerPlugin({
  name: 'NodeResourcesFit',
  weight: 1,
  prepare: (pod) => ({ filter: (node) => rejectionFor(pod, node), score: (node) => leastAllocated(pod, node) }),
  wakes(event, pod) {
    switch (event.type) {
      case 'nodeAdded':
        return couldFit(pod, event.node);
      case 'nodeUpdated':
        return !equalValues(event.old.status?.allocatable, event.node.status?.allocatable) && couldFit(pod, event.node);
      case 'assignedPodRemoved':
        return true;
      case 'assignedPodUpdated':
        return (
          podInfo(event.pod).requests.cpu < podInfo(event.old).requests.cpu ||
          podInfo(event.pod).requests.memory < podInfo(event.old).requests.memory
        );
      default:
        return false;
    }
  },
});

function rejectionFor({ requests }: PodInfo, node: NodeInfo): Rejection | undefined {
  const { allocatable, requested } = node;
  const reasons: string[] = [];
  let unresolvable = false;
  if (node.pods.size + 1 > node.allowedPods) reasons.push('Too many pods');
  const check = (resource: string, wanted: number, has: number, used: number): void => {
    if (wanted === 0 || wanted <= has - used) return;
    reasons.push(`Insufficient ${resource}`);
    // More than the whole node: nobody's leaving will help.
    if (wanted > has) unresolvable = true;
  };
  check('cpu', requests.cpu, allocatable.cpu, requested.cpu);
  check('memory', requests.memory, allocatable.memory, requested.memory);
  check('ephemeral-storage', requests.ephemeralStorage, allocatable.ephemeralStorage, requested.ephemeralStorage);
  for (const [resource, wanted] of requests.others) {
    check(resource, wanted, allocatable.others.get(resource) ?? 0, requested.others.get(resource) ?? 0);
  }
  return reasons.length === 0 ? undefined : { reasons, unresolvable };
}

function couldFit({ requests }: PodInfo, node: Node): boolean {
  const allocatable = amountsOf(node.status?.allocatable);
  const has = (resource: string) => allocatable.get(resource) ?? 0;
  return (
    requests.cpu <= has('cpu') &&
    requests.memory <= has('memory') &&
    requests.ephemeralStorage <= has('ephemeral-storage') &&
    [...requests.others].every(([resource, wanted]) => wanted <= has(resource))
  );
}

function leastAllocated(pod: PodInfo, { allocatable, scoredCpu, scoredMemory }: NodeInfo): number {
  const free = (has: number, used: number) =>
    has === 0 || used > has ? 0 : Math.floor(((has - used) * maxScore) / has);
  let sum = 0;
  let weights = 0;
  if (allocatable.cpu > 0) {
    sum += free(allocatable.cpu, scoredCpu + pod.scoredCpu);
    weights++;
  }
  if (allocatable.memory > 0) {
    sum += free(allocatable.memory, scoredMemory + pod.scoredMemory);
    weights++;
  }
  return weights === 0 ? 0 : Math.floor(sum / weights);
}
