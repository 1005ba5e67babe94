import type { ApiServer } from '#apiserver/server.ts';
import type { VirtualClock } from '#base/virtual-clock.ts';
import type { Client, Identity } from '#client/client.ts';
import { startControllers } from '#controllers/index.ts';
import type { SimulatedBehaviour } from '#kubelet/simulated/behaviour.ts';
import { createSimulatedNode, type SimulatedNode } from '#kubelet/simulated/simulated-node.ts';
import { startScheduler } from '#scheduler/index.ts';
import { startApiServer } from './cluster.ts';

export interface SimulatedClusterOptions {
  /** How many nodes; 1 unless said otherwise, at most 240. */
  readonly nodes?: number;
  /** The same seed gives the same run. */
  readonly seed?: number;
  /** How long containers take to start and become ready, and how they fail. */
  readonly behaviour?: Partial<SimulatedBehaviour>;
}

/** A whole cluster in this process, in memory, on a clock that moves only when told to. */
export interface SimulatedCluster {
  /** A client that may do everything. */
  readonly client: Client;
  as(identity: Identity): Client;
  readonly clock: VirtualClock;
  readonly server: ApiServer;
  readonly nodes: readonly SimulatedNode[];
  /** Lets virtual time pass until `condition` holds. @throws Error when it does not within `limitMs` of virtual time. */
  until(condition: () => Promise<boolean>, options?: { readonly limitMs?: number }): Promise<void>;
  stop(): Promise<void>;
}

/** How often `until` asks, in virtual milliseconds. */
const askEveryMs = 100;

/** Starts API server, controllers, scheduler and node agents: all of a cluster but containers. */
export async function startSimulatedCluster(options: SimulatedClusterOptions = {}): Promise<SimulatedCluster> {
  const { nodes: count = 1, seed = 1, behaviour = {} } = options;
  const api = await startApiServer({ seed });
  const { client, environment, server } = api;
  const stopping = new AbortController();
  const { signal } = stopping;
  const nodes = Array.from({ length: count }, (_, index) => {
    const nodeName = `node-${index + 1}`;
    const identity = { user: `system:node:${nodeName}`, groups: ['system:nodes'] };
    return createSimulatedNode({
      nodeName,
      client: api.as(identity),
      environment,
      podCidr: `10.244.${index}.0/24`,
      address: `172.31.0.${index + 2}`,
      behaviour,
    });
  });
  const running = Promise.all([
    startControllers({ client, environment, rootCa: 'the authority of a test' }, signal),
    startScheduler({ client, environment }, signal),
    ...nodes.map((node) => node.run(signal)),
  ]);
  return {
    client,
    as: (identity) => api.as(identity),
    clock: environment.clock,
    server,
    nodes,
    async until(condition, { limitMs = 10 * 60_000 } = {}) {
      const deadline = environment.clock.now() + limitMs;
      while (!(await condition())) {
        if (environment.clock.now() >= deadline)
          throw new Error(`did not come true within ${limitMs} ms of virtual time`);
        await environment.clock.advance(askEveryMs);
      }
    },
    async stop() {
      stopping.abort();
      await running;
      await api.stop();
    },
  };
}
