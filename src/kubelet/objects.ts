import type { Clock } from '#base/clock.ts';
import type { Client } from '#client/client.ts';
import { ConfigMap as ConfigMapKind, Secret as SecretKind } from '#kinds/generated/handles.ts';
import type { ConfigMap, Secret } from '#kinds/generated/types/core_v1.ts';
import type { Kind } from '#kinds/kind.ts';
import { ApiError } from '#machinery/errors.ts';
import type { ApiObject } from '#machinery/meta.ts';
import type { PodObjects } from './runtime/environment-variables.ts';

/** Many pods that start together with the same ConfigMap ask once. */
const freshMs = 1_000;
const maxCached = 1_000;

interface Cached {
  readonly atMs: number;
  readonly object: Promise<ApiObject | undefined>;
}

/** ConfigMaps and Secrets for pods of this node, read when they are needed. */
export class ReferencedObjects implements PodObjects {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #cache = new Map<string, Cached>();

  constructor(options: { readonly client: Client; readonly clock: Clock; readonly signal: AbortSignal }) {
    this.#client = options.client;
    this.#clock = options.clock;
    this.#signal = options.signal;
  }

  configMap(namespace: string, name: string): Promise<ConfigMap | undefined> {
    return this.#get(ConfigMapKind, namespace, name);
  }

  secret(namespace: string, name: string): Promise<Secret | undefined> {
    return this.#get(SecretKind, namespace, name);
  }

  #get<T extends ApiObject>(kind: Kind<T>, namespace: string, name: string): Promise<T | undefined> {
    const key = `${kind.resource}/${namespace}/${name}`;
    const now = this.#clock.monotonic();
    const known = this.#cache.get(key);
    if (known !== undefined && now - known.atMs < freshMs) return known.object as Promise<T | undefined>;
    const object = this.#client.get(kind, { namespace, name }, { signal: this.#signal }).catch((error: unknown) => {
      if (error instanceof ApiError && error.code === 404) return undefined;
      this.#cache.delete(key);
      throw error;
    });
    if (this.#cache.size >= maxCached) this.#cache.delete(this.#cache.keys().next().value ?? '');
    this.#cache.delete(key);
    this.#cache.set(key, { atMs: now, object });
    return object;
  }
}
