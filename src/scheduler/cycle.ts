import { type Random, randomInteger } from '#base/random.ts';
import { isRejection, type PreparedPlugin, type Rejection, type SchedulerPlugin, type Snapshot } from './framework.ts';
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';

/** What became of one attempt. */
export type Placement =
  | { readonly outcome: 'placed'; readonly node: NodeInfo }
  | { readonly outcome: 'unplaceable'; readonly diagnosis: Diagnosis };

/** Why no node would do. */
export interface Diagnosis {
  readonly nodeCount: number;
  /** Per node that was asked. */
  readonly rejections: ReadonlyMap<string, Rejection>;
  readonly rejectedBy: ReadonlySet<SchedulerPlugin>;
  /** A plugin turned the pod away before any node was looked at. */
  readonly beforeFiltering?: Rejection;
}

/** Pods that preemption has promised a place, per node; they count for everybody who is not more important. */
export type Nominations = (node: string, below: PodInfo) => readonly PodInfo[];

interface Prepared extends PreparedPlugin {
  readonly plugin: SchedulerPlugin;
}

/** With fewer nodes all are looked at; with more, enough to find good places without asking everyone. */
const fewNodes = 100;
const leastPercentage = 5;

/** Finds the best node for a pod: filters, scores, and picks among the best at random. Synchronous. */
export class SchedulingCycle {
  readonly #plugins: readonly SchedulerPlugin[];
  readonly #random: Random;
  /** Where the next search starts, so that large clusters are filled evenly. */
  #nextStart = 0;

  constructor(plugins: readonly SchedulerPlugin[], random: Random) {
    this.#plugins = plugins;
    this.#random = random;
  }

  place(pod: PodInfo, snapshot: Snapshot, nominations: Nominations): Placement {
    const { nodes } = snapshot;
    const prepared = prepareAll(this.#plugins, pod, snapshot);
    if ('beforeFiltering' in prepared) {
      return { outcome: 'unplaceable', diagnosis: { nodeCount: nodes.length, rejections: new Map(), ...prepared } };
    }
    const rejections = new Map<string, Rejection>();
    const rejectedBy = new Set<SchedulerPlugin>();
    const filters = prepared.plugins.filter(({ filter }) => filter !== undefined);
    const feasible: NodeInfo[] = [];
    const wanted = enoughNodes(nodes.length);
    const candidates = candidateNodes(prepared.plugins, snapshot);
    let asked = 0;
    for (; asked < candidates.length && feasible.length < wanted; asked++) {
      const node = candidates[(this.#nextStart + asked) % candidates.length]!;
      const failure = firstRejection(filters, node, nominations(node.name, pod));
      if (failure === undefined) feasible.push(node);
      else {
        rejections.set(node.name, failure.rejection);
        rejectedBy.add(failure.plugin);
      }
    }
    this.#nextStart = (this.#nextStart + asked) % Math.max(1, candidates.length);
    if (feasible.length === 0) {
      for (const { plugin, candidates: named } of prepared.plugins) if (named !== undefined) rejectedBy.add(plugin);
      return { outcome: 'unplaceable', diagnosis: { nodeCount: nodes.length, rejections, rejectedBy } };
    }
    if (feasible.length === 1) return { outcome: 'placed', node: feasible[0]! };
    return { outcome: 'placed', node: this.#best(prepared.plugins, feasible) };
  }

  /** Whether the pod would fit on the node as it is; for preemption, which asks about nodes that do not exist yet. */
  fits(pod: PodInfo, node: NodeInfo, snapshot: Snapshot): boolean {
    const prepared = prepareAll(this.#plugins, pod, snapshot);
    return !('beforeFiltering' in prepared) && firstRejection(prepared.plugins, node, []) === undefined;
  }

  #best(plugins: readonly Prepared[], nodes: readonly NodeInfo[]): NodeInfo {
    const totals = new Array<number>(nodes.length).fill(0);
    for (const { plugin, score, normalize } of plugins) {
      if (score === undefined) continue;
      const scores = nodes.map(score);
      normalize?.(scores, nodes);
      const weight = plugin.weight ?? 1;
      for (let index = 0; index < totals.length; index++) totals[index]! += weight * scores[index]!;
    }
    // Reservoir sampling: each of the best is as likely as any other.
    let best = 0;
    let ties = 1;
    for (let index = 1; index < totals.length; index++) {
      if (totals[index]! > totals[best]!) {
        best = index;
        ties = 1;
      } else if (totals[index] === totals[best]) {
        ties++;
        if (randomInteger(this.#random, ties) === 0) best = index;
      }
    }
    return nodes[best]!;
  }
}

function prepareAll(
  plugins: readonly SchedulerPlugin[],
  pod: PodInfo,
  snapshot: Snapshot,
):
  | { readonly plugins: readonly Prepared[] }
  | { readonly beforeFiltering: Rejection; readonly rejectedBy: ReadonlySet<SchedulerPlugin> } {
  const prepared: Prepared[] = [];
  for (const plugin of plugins) {
    const preparation = plugin.prepare(pod, snapshot);
    if (preparation === 'skip') continue;
    if (isRejection(preparation)) return { beforeFiltering: preparation, rejectedBy: new Set([plugin]) };
    prepared.push({ ...preparation, plugin });
  }
  return { plugins: prepared };
}

function firstRejection(
  plugins: readonly Prepared[],
  node: NodeInfo,
  nominated: readonly PodInfo[],
): { readonly plugin: SchedulerPlugin; readonly rejection: Rejection } | undefined {
  // With promised pods the pod must fit both ways: they may yet go elsewhere, and affinity may need them not to.
  const states = nominated.length === 0 ? [node] : [node.with({ added: nominated }), node];
  for (const state of states) {
    for (const { plugin, filter } of plugins) {
      const rejection = filter?.(state);
      if (rejection !== undefined) return { plugin, rejection };
    }
  }
  return undefined;
}

function candidateNodes(plugins: readonly Prepared[], snapshot: Snapshot): readonly NodeInfo[] {
  const lists = plugins.flatMap(({ candidates }) => (candidates === undefined ? [] : [candidates]));
  const [first, ...others] = lists;
  if (first === undefined) return snapshot.nodes;
  const names = first.filter((name) => others.every((list) => list.includes(name)));
  return [...new Set(names)].flatMap((name) => snapshot.node(name) ?? []);
}

/** How many feasible nodes end the search. */
function enoughNodes(count: number): number {
  if (count < fewNodes) return count;
  const percentage = Math.max(leastPercentage, 50 - Math.floor(count / 125));
  return Math.max(fewNodes, Math.floor((count * percentage) / 100));
}
