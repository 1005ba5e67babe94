import type { Namespace, Node, Pod } from '#kinds/generated/types/core_v1.ts';
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';

/** Why a pod cannot be here. */
export interface Rejection {
  /** As users read them: `Insufficient cpu`. */
  readonly reasons: readonly string[];
  /** Removing other pods cannot help: the node is not worth a preemption. */
  readonly unresolvable: boolean;
}

export function unschedulable(...reasons: readonly string[]): Rejection {
  return { reasons, unresolvable: false };
}

export function unresolvable(...reasons: readonly string[]): Rejection {
  return { reasons, unresolvable: true };
}

/** The highest score of a plugin, before its weight. */
export const maxScore = 100;

/**
 * What the scheduler knows while it places one pod. Placing is synchronous, so this is the live cache: nothing changes
 * under a plugin, and nothing has to be copied.
 */
export interface Snapshot {
  readonly nodes: readonly NodeInfo[];
  node(name: string): NodeInfo | undefined;
  /** Nodes with at least one pod that has affinity or anti-affinity, required or preferred. */
  nodesWithAffinity(): Iterable<NodeInfo>;
  namespace(name: string): Namespace | undefined;
  namespaces(): Iterable<Namespace>;
  /** How many nodes have the image. */
  nodesWithImage(image: string): number;
}

/** What a plugin makes of one pod; computed once per attempt, then asked for each node. */
export interface PreparedPlugin {
  /** Undefined: the pod fits as far as this plugin is concerned. */
  readonly filter?: (node: NodeInfo) => Rejection | undefined;
  readonly score?: (node: NodeInfo) => number;
  /** Brings raw scores into 0..100; without it they must be there already. */
  readonly normalize?: (scores: number[], nodes: readonly NodeInfo[]) => void;
  /** Only these nodes can fit; found without asking each. */
  readonly candidates?: readonly string[];
}

/** `'skip'`: this pod is none of the plugin's business. */
export type Preparation = PreparedPlugin | Rejection | 'skip';

/** Something that may make a pod fit that did not. */
export type ClusterEvent =
  | { readonly type: 'nodeAdded'; readonly node: Node }
  | { readonly type: 'nodeUpdated'; readonly old: Node; readonly node: Node }
  | { readonly type: 'podAssigned'; readonly pod: Pod }
  | { readonly type: 'assignedPodUpdated'; readonly old: Pod; readonly pod: Pod }
  | { readonly type: 'assignedPodRemoved'; readonly pod: Pod }
  | { readonly type: 'volumesChanged' };

/** One aspect of where a pod may and should run. Adding one is one folder, and one line in `plugins/index.ts`. */
export interface SchedulerPlugin {
  readonly name: string;
  /** Of its scores; 0 or absent when it has none. */
  readonly weight?: number;
  prepare(pod: PodInfo, snapshot: Snapshot): Preparation;
  /** Whether the event may have removed what the plugin rejected the pod for. Absent: no event ever does. */
  wakes?(event: ClusterEvent, pod: PodInfo): boolean;
}

export function defineSchedulerPlugin(plugin: SchedulerPlugin): SchedulerPlugin {
  return plugin;
}

export function isRejection(preparation: Preparation): preparation is Rejection {
  return preparation !== 'skip' && 'reasons' in preparation;
}

/** Scales scores so that the highest becomes 100, or turns them around so that the lowest raw score gets it. */
export function normalizeScores(scores: number[], { reverse }: { readonly reverse: boolean }): void {
  const most = scores.reduce((highest, score) => Math.max(highest, score), 0);
  for (const [index, score] of scores.entries()) {
    const scaled = most === 0 ? 0 : Math.floor((score * maxScore) / most);
    scores[index] = reverse ? maxScore - scaled : scaled;
  }
}
