import { passed } from '#base/clock.ts';
import type { Environment } from '#base/environment.ts';
import { aborted } from '#base/tasks.ts';
import type { Kind } from '#kinds/kind.ts';
import type { ApiObject } from '#machinery/meta.ts';
import type { Client } from './client.ts';
import { Informer, type InformerScope } from './informer.ts';

/** Hands out informers such that everybody who follows the same objects shares one watch and one cache. */
export interface Informers {
  /** The informer of these objects, running from now on if the set is running. */
  of<T extends ApiObject>(kind: Kind<T>, scope?: InformerScope): Informer<T>;
  /** Stops the informer of all objects of a kind that no longer exists; who asks again gets a new one. */
  release(kind: Kind): void;
  /** Resolves when every informer handed out so far holds its first list. */
  synced(signal?: AbortSignal): Promise<void>;
  /** Runs every informer, also those asked for later, until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

export function createInformers(options: {
  readonly client: Client;
  readonly environment: Environment;
  /** How many begin in one turn of the event loop; absent: all. In one process others wait for their turn meanwhile. */
  readonly startedTogether?: number | undefined;
}): Informers {
  const { startedTogether = Number.POSITIVE_INFINITY } = options;
  const environment = { ...options.environment, log: options.environment.log.named('informer') };
  const informers = new Map<string, { readonly informer: Informer<never>; readonly stop: AbortController }>();
  const running = new Set<Promise<void>>();
  let started: AbortSignal | undefined;
  const start = (
    entry: { readonly informer: Informer<never>; readonly stop: AbortController },
    signal: AbortSignal,
  ): void => {
    const run = entry.informer.run(AbortSignal.any([signal, entry.stop.signal])).finally(() => running.delete(run));
    running.add(run);
  };
  return {
    of<T extends ApiObject>(kind: Kind<T>, scope: InformerScope = {}): Informer<T> {
      const key = keyOfScope(kind, scope);
      const existing = informers.get(key)?.informer;
      // One key, one kind: the map cannot say so in its type.
      if (existing !== undefined) return existing as unknown as Informer<T>;
      const informer = new Informer<T>({ client: options.client, environment, kind, scope });
      const entry = { informer: informer as unknown as Informer<never>, stop: new AbortController() };
      informers.set(key, entry);
      if (started !== undefined) start(entry, started);
      return informer;
    },
    release(kind) {
      const key = keyOfScope(kind, {});
      informers.get(key)?.stop.abort();
      informers.delete(key);
    },
    async synced(signal) {
      await Promise.all([...informers.values()].map(({ informer }) => informer.synced(signal)));
    },
    async run(signal) {
      started = signal;
      for (const [index, entry] of [...informers.values()].entries()) {
        if (index % startedTogether === startedTogether - 1) await passed(environment.clock, 0, signal);
        start(entry, signal);
      }
      await aborted(signal);
      await Promise.all(running);
    },
  };
}

function keyOfScope(kind: Kind, { namespace, labelSelector, fieldSelector }: InformerScope): string {
  return JSON.stringify([kind.group, kind.version, kind.resource, namespace, labelSelector, fieldSelector]);
}
