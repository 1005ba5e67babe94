import { type Random, randomInteger } from '#base/random.ts';
import {
  isRejection,
  type Preparation,
  type PreparedPlugin,
  type Rejection,
  type SchedulerPlugin,
  type Snapshot,
} from './framework.ts';
import type { NodeInfo } from './node-info.ts';
import { type CycleWatch, type PhaseMetrics, statusOf } from './phases.ts';
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
  /** Nodes that it was asked about. */
  filtered: number;
}

/** With fewer nodes all are looked at; with more, enough to find good places without asking everyone. */
const fewNodes = 100;
const leastPercentage = 5;

/** Finds the best node for a pod: filters, scores, and picks among the best at random. Synchronous. */
export class SchedulingCycle {
  readonly #plugins: readonly SchedulerPlugin[];
  readonly #random: Random;
  readonly #phases: PhaseMetrics | undefined;
  /** Where the next search starts, so that large clusters are filled evenly. */
  #nextStart = 0;

  constructor(plugins: readonly SchedulerPlugin[], random: Random, phases?: PhaseMetrics) {
    this.#plugins = plugins;
    this.#random = random;
    this.#phases = phases;
  }

  place(pod: PodInfo, snapshot: Snapshot, nominations: Nominations): Placement {
    const { nodes } = snapshot;
    const watch = this.#phases?.cycle();
    const prepared = prepareAll(this.#plugins, pod, snapshot, watch);
    if ('beforeFiltering' in prepared) {
      watch?.ended('PreFilter', statusOf(prepared.beforeFiltering));
      return { outcome: 'unplaceable', diagnosis: { nodeCount: nodes.length, rejections: new Map(), ...prepared } };
    }
    watch?.ended('PreFilter', 'Success');
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
    watch?.ended('Filter', 'Success');
    for (const { plugin, filtered } of filters) watch?.evaluated(plugin.name, 'Filter', filtered);
    this.#nextStart = (this.#nextStart + asked) % Math.max(1, candidates.length);
    if (feasible.length === 0) {
      for (const { plugin, candidates: named } of prepared.plugins) if (named !== undefined) rejectedBy.add(plugin);
      return { outcome: 'unplaceable', diagnosis: { nodeCount: nodes.length, rejections, rejectedBy } };
    }
    if (feasible.length === 1) return { outcome: 'placed', node: feasible[0]! };
    const node = this.#best(prepared.plugins, feasible);
    watch?.ended('Score', 'Success');
    for (const { plugin, score } of prepared.plugins)
      if (score !== undefined) watch?.evaluated(plugin.name, 'Score', feasible.length);
    return { outcome: 'placed', node };
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
  watch?: CycleWatch,
):
  | { readonly plugins: readonly Prepared[] }
  | { readonly beforeFiltering: Rejection; readonly rejectedBy: ReadonlySet<SchedulerPlugin> } {
  const prepared: Prepared[] = [];
  for (const plugin of plugins) {
    const prepare = (): Preparation => plugin.prepare(pod, snapshot);
    const preparation = watch === undefined ? prepare() : watch.timed(plugin.name, 'PreFilter', prepare, statusOf);
    if (preparation === 'skip') continue;
    watch?.evaluated(plugin.name, 'PreFilter', 1);
    if (isRejection(preparation)) return { beforeFiltering: preparation, rejectedBy: new Set([plugin]) };
    const isMeasured = watch?.isSampled === true;
    prepared.push({ ...(isMeasured ? measured(preparation, plugin, watch) : preparation), plugin, filtered: 0 });
  }
  return { plugins: prepared };
}

/** The same, with each answer timed. */
function measured(prepared: PreparedPlugin, { name }: SchedulerPlugin, watch: CycleWatch): PreparedPlugin {
  const { filter, score } = prepared;
  return {
    ...prepared,
    ...(filter && { filter: (node) => watch.timed(name, 'Filter', () => filter(node), statusOf) }),
    ...(score && {
      score: (node) =>
        watch.timed(
          name,
          'Score',
          () => score(node),
          () => 'Success',
        ),
    }),
  };
}

function firstRejection(
  plugins: readonly Prepared[],
  node: NodeInfo,
  nominated: readonly PodInfo[],
): { readonly plugin: SchedulerPlugin; readonly rejection: Rejection } | undefined {
  // With promised pods the pod must fit both ways: they may yet go elsewhere, and affinity may need them not to.
  const states = nominated.length === 0 ? [node] : [node.with({ added: nominated }), node];
  for (const state of states) {
    for (const prepared of plugins) {
      prepared.filtered++;
      const rejection = prepared.filter?.(state);
      if (rejection !== undefined) return { plugin: prepared.plugin, rejection };
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
