import type { Environment } from '#base/environment.ts';
import type { Kind } from '#kinds/kind.ts';
import type { ApiObject } from '#machinery/meta.ts';
import type { Client } from './client.ts';
import { Informer, type InformerScope } from './informer.ts';

/** Hands out informers such that everybody who follows the same objects shares one watch and one cache. */
export interface Informers {
  /** The informer of these objects, running from now on if the set is running. */
  of<T extends ApiObject>(kind: Kind<T>, scope?: InformerScope): Informer<T>;
  /** Resolves when every informer handed out so far holds its first list. */
  synced(signal?: AbortSignal): Promise<void>;
  /** Runs every informer, also those asked for later, until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

export function createInformers(options: { readonly client: Client; readonly environment: Environment }): Informers {
  const environment = { ...options.environment, log: options.environment.log.named('informer') };
  const informers = new Map<string, Informer<never>>();
  const running: Promise<void>[] = [];
  let started: AbortSignal | undefined;
  return {
    of<T extends ApiObject>(kind: Kind<T>, scope: InformerScope = {}): Informer<T> {
      const key = JSON.stringify([
        kind.group,
        kind.version,
        kind.resource,
        scope.namespace,
        scope.labelSelector,
        scope.fieldSelector,
      ]);
      const existing = informers.get(key);
      // One key, one kind: the map cannot say so in its type.
      if (existing !== undefined) return existing as unknown as Informer<T>;
      const informer = new Informer<T>({ client: options.client, environment, kind, scope });
      informers.set(key, informer as unknown as Informer<never>);
      if (started !== undefined) running.push(informer.run(started));
      return informer;
    },
    async synced(signal) {
      await Promise.all([...informers.values()].map((informer) => informer.synced(signal)));
    },
    async run(signal) {
      started = signal;
      for (const informer of informers.values()) running.push(informer.run(signal));
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener('abort', () => resolve(), { once: true });
      });
      await Promise.all(running);
    },
  };
}
