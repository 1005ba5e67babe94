import type { Diagnosis } from './cycle.ts';
import type { Rejection } from './framework.ts';

/** What the plugins that run after a failure add; dynamic resource allocation has nothing to take back here. */
const nothingToDeallocate = 'no new claims to deallocate';

/**
 * What users read on a pod that found no node. `preemption` says why nobody could be removed for it; undefined when
 * somebody is.
 * `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable. … preemption: …`
 */
export function unschedulableMessage(diagnosis: Diagnosis, preemption: string | undefined): string {
  if (diagnosis.nodeCount === 0) return 'no nodes available to schedule pods';
  const text = fitMessage(diagnosis.nodeCount, diagnosis.beforeFiltering, [...diagnosis.rejections.values()], {
    reasons: ["node(s) didn't satisfy plugin(s) [NodeAffinity]"],
    count: diagnosis.beforeFiltering === undefined ? diagnosis.nodeCount - diagnosis.rejections.size : 0,
  });
  return preemption === undefined ? text : `${text} ${nothingToDeallocate}, preemption: ${preemption}`;
}

/** What preemption says when it found no one to remove. */
export function preemptionMessage(
  nodeCount: number,
  tried: readonly Rejection[],
  { notHelpful }: { readonly notHelpful: number },
): string {
  const rest = { reasons: ['Preemption is not helpful for scheduling'], count: notHelpful };
  return fitMessage(nodeCount, undefined, tried, rest);
}

function fitMessage(
  nodeCount: number,
  beforeFiltering: Rejection | undefined,
  rejections: readonly Rejection[],
  rest: { readonly reasons: readonly string[]; readonly count: number },
): string {
  const start = `0/${nodeCount} nodes are available:`;
  if (beforeFiltering !== undefined) return `${start} ${beforeFiltering.reasons.join(', ')}.`;
  const counts = new Map<string, number>();
  for (const { reasons } of rejections) {
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  if (rest.count > 0) for (const reason of rest.reasons) counts.set(reason, (counts.get(reason) ?? 0) + rest.count);
  const listed = [...counts].map(([reason, count]) => `${count} ${reason}`).sort();
  return listed.length === 0 ? start : `${start} ${listed.join(', ')}.`;
}
