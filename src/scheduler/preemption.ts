import { podCondition } from '#kinds/core/pod/state.ts';
import type { Pod } from '#kinds/generated/types/core_v1.ts';
import type { PodDisruptionBudget } from '#kinds/generated/types/policy_v1.ts';
import { selects } from '#machinery/labels.ts';
import { parseTime } from '#machinery/time.ts';
import type { Diagnosis, SchedulingCycle } from './cycle.ts';
import { type Rejection, type Snapshot, unresolvable } from './framework.ts';
import { preemptionMessage } from './messages.ts';
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';

/** Whom to remove from where, or why there is nobody. */
export type Preemption =
  | { readonly outcome: 'preempt'; readonly node: string; readonly victims: readonly PodInfo[] }
  | { readonly outcome: 'nobody'; readonly message: string };

interface Candidate {
  readonly node: string;
  readonly victims: readonly PodInfo[];
  /** Victims whose disruption budget does not allow it. */
  readonly violations: number;
}

const noVictims = unresolvable('No preemption victims found for incoming pod');

/**
 * Looks for less important pods whose removal would make room: on the node where it hurts least, and no more of them
 * than needed. Budgets are respected where possible, as in upstream, but importance wins.
 */
export function preempt(options: {
  readonly pod: PodInfo;
  readonly diagnosis: Diagnosis;
  readonly snapshot: Snapshot;
  readonly cycle: SchedulingCycle;
  readonly budgets: readonly PodDisruptionBudget[];
}): Preemption {
  const { pod, diagnosis, snapshot, cycle, budgets } = options;
  if (pod.pod.spec?.preemptionPolicy === 'Never') {
    return { outcome: 'nobody', message: 'not eligible due to preemptionPolicy=Never.' };
  }
  if (awaitsVictims(pod, snapshot)) {
    return { outcome: 'nobody', message: 'not eligible due to a terminating pod on the nominated node.' };
  }
  const candidates: Candidate[] = [];
  const tried: Rejection[] = [];
  for (const [name, rejection] of diagnosis.rejections) {
    const node = rejection.unresolvable ? undefined : snapshot.node(name);
    if (node === undefined) continue;
    const found = selectVictims(pod, node, snapshot, cycle, budgets);
    if (found === undefined) tried.push(hasLessImportant(pod, node) ? rejection : noVictims);
    else candidates.push(found);
  }
  const best = candidates.reduce<Candidate | undefined>(
    (chosen, candidate) => (chosen === undefined || hurtsLess(candidate, chosen) ? candidate : chosen),
    undefined,
  );
  if (best !== undefined) return { outcome: 'preempt', node: best.node, victims: best.victims };
  const notHelpful = diagnosis.nodeCount - tried.length;
  return { outcome: 'nobody', message: preemptionMessage(diagnosis.nodeCount, tried, { notHelpful }) };
}

/** The place it was promised is still being cleared; another preemption would only remove more. */
function awaitsVictims(pod: PodInfo, snapshot: Snapshot): boolean {
  const node = snapshot.node(pod.pod.status?.nominatedNodeName ?? '');
  if (node === undefined) return false;
  return [...node.pods.values()].some(
    (other) =>
      other.priority < pod.priority &&
      other.pod.metadata.deletionTimestamp !== undefined &&
      podCondition(other.pod, 'DisruptionTarget')?.reason === 'PreemptionByScheduler',
  );
}

function hasLessImportant(pod: PodInfo, node: NodeInfo): boolean {
  return [...node.pods.values()].some((other) => other.priority < pod.priority);
}

function selectVictims(
  pod: PodInfo,
  node: NodeInfo,
  snapshot: Snapshot,
  cycle: SchedulingCycle,
  budgets: readonly PodDisruptionBudget[],
): Candidate | undefined {
  const lower = [...node.pods.values()].filter((other) => other.priority < pod.priority);
  if (lower.length === 0) return undefined;
  const state = node.with({ removed: lower });
  const imagined = withNode(snapshot, state);
  if (!cycle.fits(pod, state, imagined)) return undefined;
  // Give back as many as possible, the most important first, those that a budget protects before all others.
  const { violating, others } = splitByBudgets(lower.sort(moreImportant), budgets);
  const victims: PodInfo[] = [];
  let violations = 0;
  for (const other of [...violating, ...others]) {
    state.addPod(other);
    if (cycle.fits(pod, state, imagined)) continue;
    state.removePod(other.uid);
    victims.push(other);
    if (violating.includes(other)) violations++;
  }
  return { node: node.name, victims: victims.sort(moreImportant), violations };
}

function withNode(snapshot: Snapshot, node: NodeInfo): Snapshot {
  return {
    nodes: snapshot.nodes.map((other) => (other.name === node.name ? node : other)),
    node: (name) => (name === node.name ? node : snapshot.node(name)),
    *nodesWithAffinity() {
      for (const other of snapshot.nodesWithAffinity()) if (other.name !== node.name) yield other;
      if (node.podsWithAffinity > 0) yield node;
    },
    namespace: (name) => snapshot.namespace(name),
    namespaces: () => snapshot.namespaces(),
    nodesWithImage: (image) => snapshot.nodesWithImage(image),
  };
}

/** By priority, then the longer running. */
function moreImportant(left: PodInfo, right: PodInfo): number {
  return right.priority - left.priority || startMs(left.pod) - startMs(right.pod);
}

function startMs(pod: Pod): number {
  const ms = parseTime(pod.status?.startTime ?? '');
  return Number.isNaN(ms) ? Number.MAX_SAFE_INTEGER : ms;
}

function splitByBudgets(
  pods: readonly PodInfo[],
  budgets: readonly PodDisruptionBudget[],
): { readonly violating: readonly PodInfo[]; readonly others: readonly PodInfo[] } {
  const left = budgets.map((budget) => budget.status?.disruptionsAllowed ?? 0);
  const violating: PodInfo[] = [];
  const others: PodInfo[] = [];
  for (const info of pods) {
    const { metadata } = info.pod;
    let violates = false;
    for (const [index, budget] of budgets.entries()) {
      if (budget.metadata.namespace !== metadata.namespace || !selects(budget.spec?.selector, metadata.labels))
        continue;
      if (budget.status?.disruptedPods?.[metadata.name ?? ''] !== undefined) continue;
      left[index]!--;
      if (left[index]! < 0) violates = true;
    }
    (violates ? violating : others).push(info);
  }
  return { violating, others };
}

/** Fewest broken budgets, least important victims, fewest of them, the most recently started. */
function hurtsLess(left: Candidate, right: Candidate): boolean {
  const rank = ({ victims, violations }: Candidate) => [
    violations,
    victims[0]?.priority ?? Number.NEGATIVE_INFINITY,
    victims.reduce((sum, { priority }) => sum + priority + 2 ** 31, 0),
    victims.length,
    -Math.min(...victims.filter(({ priority }) => priority === victims[0]?.priority).map(({ pod }) => startMs(pod))),
  ];
  const [mine, theirs] = [rank(left), rank(right)];
  for (const [index, value] of mine.entries()) if (value !== theirs[index]) return value < theirs[index]!;
  return false;
}
