import assert from 'node:assert/strict';
import { Metrics } from '#base/metrics.ts';
import type { VirtualClock } from '#base/virtual-clock.ts';
import type { Client } from '#client/client.ts';
import { startControllers } from '#controllers/index.ts';
import type { Pod } from '#kinds/generated/types/core_v1.ts';
import { startScheduler } from '#scheduler/index.ts';
import { startApiServer } from './cluster.ts';
import { addNode, livePods, readyNode } from './pod-life.ts';

export interface TestControlPlane {
  readonly client: Client;
  readonly clock: VirtualClock;
  /** What controllers and scheduler tell about themselves. */
  readonly metrics: Metrics;
  /** Asks again every virtual second until the answer is `wanted`, for at most `limitSeconds`. */
  until<T>(ask: () => Promise<T>, wanted: (answer: T) => boolean, limitSeconds?: number): Promise<T>;
  addNode(name: string): Promise<void>;
  /** Stops the node's heartbeats. */
  silence(name: string): void;
  stop(): Promise<void>;
}

/**
 * API server, controllers and scheduler in memory on a virtual clock, with nodes whose pods become ready as soon as
 * they are bound, if `ready` says so.
 */
export async function startControlPlane(
  options: {
    readonly nodes?: readonly string[];
    readonly ready?: (pod: Pod) => boolean;
    /** How a running pod ends, for those that do. */
    readonly ends?: (pod: Pod) => 'Succeeded' | 'Failed' | undefined;
    readonly seed?: number;
  } = {},
): Promise<TestControlPlane> {
  const { nodes = ['a', 'b', 'c'], ready = () => true, ends = () => undefined, seed } = options;
  const api = await startApiServer(seed === undefined ? {} : { seed });
  const { client } = api;
  const metrics = new Metrics();
  const environment = { ...api.environment, metrics };
  const stop = new AbortController();
  const running = Promise.all([
    startControllers({ client, environment, rootCa: 'an authority' }, stop.signal),
    startScheduler({ client, environment }, stop.signal),
    livePods({ client, environment, ready, ends }, stop.signal),
  ]);
  const beating = new Map<string, AbortController>();
  const add = (name: string) => {
    const heart = new AbortController();
    beating.set(name, heart);
    return addNode({ client, environment }, readyNode(name), AbortSignal.any([stop.signal, heart.signal]));
  };
  for (const name of nodes) await add(name);
  return {
    client,
    metrics,
    clock: environment.clock,
    async until(ask, wanted, limitSeconds = 120) {
      let answer = await ask();
      for (let second = 0; second < limitSeconds && !wanted(answer); second++) {
        await environment.clock.advance(1000);
        answer = await ask();
      }
      assert.ok(wanted(answer), `never came true: ${JSON.stringify(answer)}`);
      return answer;
    },
    addNode: add,
    silence: (name) => beating.get(name)?.abort(),
    async stop() {
      stop.abort();
      await running;
      await api.stop();
    },
  };
}
