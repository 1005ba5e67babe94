import type { Environment } from '#base/environment.ts';
import type { Client } from '#client/client.ts';
import type { KubeletConfig } from '../config.ts';
import { createKubelet, type Kubelet } from '../kubelet.ts';
import type { SimulatedBehaviour } from './behaviour.ts';
import { SimulatedCri } from './simulated-cri.ts';
import { simulatedHost } from './simulated-host.ts';
import { simulatedStreams } from './simulated-streams.ts';

export interface SimulatedNodeOptions {
  readonly nodeName: string;
  readonly client: Client;
  readonly environment: Environment;
  /** The range of the node's pods, for example `10.244.3.0/24`. */
  readonly podCidr: string;
  /** The node's own address. */
  readonly address: string;
  readonly cpus?: number;
  readonly memoryBytes?: number;
  readonly behaviour?: Partial<SimulatedBehaviour>;
  readonly config?: Partial<KubeletConfig>;
  readonly isMeasured?: boolean;
}

export interface SimulatedNode extends Kubelet {
  /** The runtime, for tests that make containers fail. */
  readonly cri: SimulatedCri;
}

/** Starts are only book-keeping here, so nothing is gained by letting them queue. */
const maxConcurrentStarts = 1_000;
/** Nothing of a simulated pod changes unseen: looking at it again costs more than it can find. */
const rarelyMs = 24 * 3_600_000;

/** A whole node that runs nothing: the same kubelet on a runtime and a machine that are not there. */
export function createSimulatedNode(options: SimulatedNodeOptions): SimulatedNode {
  const { address, client, environment, nodeName, podCidr } = options;
  const cri = new SimulatedCri({
    environment,
    podCidr,
    ...(options.behaviour === undefined ? {} : { behaviour: options.behaviour }),
  });
  const host = simulatedHost({
    nodeName,
    address,
    cri,
    ...(options.cpus === undefined ? {} : { cpus: options.cpus }),
    ...(options.memoryBytes === undefined ? {} : { memoryBytes: options.memoryBytes }),
  });
  const kubelet = createKubelet({
    nodeName,
    client,
    cri,
    streams: simulatedStreams,
    host,
    environment,
    isMeasured: options.isMeasured === true,
    config: {
      podCidr,
      recordRoutineEvents: false,
      maxConcurrentStarts,
      maxConcurrentPulls: maxConcurrentStarts,
      maxConcurrentExecProbes: maxConcurrentStarts,
      syncMs: rarelyMs,
      relistMs: rarelyMs,
      nodeStatusUpdateMs: 300_000,
      garbageCollectionMs: rarelyMs,
      // Half of the 50 seconds after which a node counts as lost is often enough where nothing can be late.
      leaseRenewMs: 25_000,
      port: 0,
      ...options.config,
    },
  });
  return { ...kubelet, cri };
}
