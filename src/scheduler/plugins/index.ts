import type { SchedulerPlugin } from '../framework.ts';
import { balancedAllocation } from './balanced-allocation/plugin.ts';
import { imageLocality } from './image-locality/plugin.ts';
import { interPodAffinity } from './inter-pod-affinity/plugin.ts';
import { nodeAffinity } from './node-affinity/plugin.ts';
import { nodeName } from './node-name/plugin.ts';
import { nodePorts } from './node-ports/plugin.ts';
import { nodeResourcesFit } from './node-resources-fit/plugin.ts';
import { nodeUnschedulable } from './node-unschedulable/plugin.ts';
import { podTopologySpread } from './pod-topology-spread/plugin.ts';
import { taintToleration } from './taint-toleration/plugin.ts';

/** In the order in which nodes are filtered: the first rejection is the one that users read. */
export const defaultPlugins: readonly SchedulerPlugin[] = [
  nodeUnschedulable,
  nodeName,
  taintToleration,
  nodeAffinity,
  nodePorts,
  nodeResourcesFit,
  podTopologySpread,
  interPodAffinity,
  balancedAllocation,
  imageLocality,
];
