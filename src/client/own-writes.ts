import type { Kind } from '#kinds/kind.ts';
import type { ApiObject, JsonObject } from '#machinery/meta.ts';
import type { Client, DeleteOptions, ObjectRef } from './client.ts';
import type { Informer } from './informer.ts';
import { keyFor } from './object-key.ts';

/**
 * Makes a controller read its own writes. An informer lags behind the API server; a controller that counts what the
 * cache shows would create a pod again because the first has not arrived yet. Upstream counts expected events; here
 * the client notes the resourceVersion of each write, and before its next turn a reconcile waits until the caches it
 * reads have reached it. Nothing is to be counted, nothing times out.
 */
export interface OwnWrites {
  /** The client to write with. */
  readonly client: Client;
  /** Resolves when every informer shows what was written through `client` so far. */
  visible(signal: AbortSignal): Promise<void>;
}

/** @param informerOf the informer the controller reads a kind from; undefined where it reads none. */
export function trackOwnWrites(
  client: Client,
  informerOf: <T extends ApiObject>(kind: Kind<T>) => Informer<T> | undefined,
): OwnWrites {
  const versions = new Map<Informer<never>, string>();
  const deletions: { readonly informer: Informer<never>; readonly key: string; readonly uid: string }[] = [];

  const note = <T extends ApiObject>(kind: Kind<T>, resourceVersion: string | undefined): void => {
    const informer = informerOf(kind) as unknown as Informer<never> | undefined;
    if (informer === undefined || resourceVersion === undefined) return;
    if (Number(resourceVersion) > Number(versions.get(informer) ?? 0)) versions.set(informer, resourceVersion);
  };
  const noted = async <T extends ApiObject>(kind: Kind<T>, write: Promise<T>): Promise<T> => {
    const object = await write;
    note(kind, object.metadata.resourceVersion);
    return object;
  };
  const noteDeletion = <T extends ApiObject>(kind: Kind<T>, ref: ObjectRef, options: DeleteOptions): void => {
    const informer = informerOf(kind);
    const key = keyFor(ref.namespace, ref.name);
    const uid = options.preconditions?.uid ?? informer?.getByKey(key)?.metadata.uid;
    if (informer === undefined || uid === undefined || options.dryRun === true) return;
    deletions.push({ informer: informer as unknown as Informer<never>, key, uid });
  };

  return {
    client: {
      get: (kind, ref, options) => client.get(kind, ref, options),
      list: (kind, options) => client.list(kind, options),
      watch: (kind, options) => client.watch(kind, options),
      create: (kind, object, options) => noted(kind, client.create(kind, object, options)),
      update: (kind, object, options) => noted(kind, client.update(kind, object, options)),
      updateStatus: (kind, object, options) => noted(kind, client.updateStatus(kind, object, options)),
      patch: (kind, ref, patch, options) => noted(kind, client.patch(kind, ref, patch, options)),
      async delete(kind, ref, options = {}) {
        const answer = await client.delete(kind, ref, options);
        noteDeletion(kind, ref, options);
        return answer;
      },
      deleteCollection: (kind, options) => client.deleteCollection(kind, options),
      getSubresource: (kind, ref, subresource, options) => client.getSubresource(kind, ref, subresource, options),
      async createSubresource(kind, ref, subresource, body, options) {
        const answer = await client.createSubresource(kind, ref, subresource, body, options);
        return answer;
      },
      async updateSubresource(kind, ref, subresource, body, options) {
        const answer = await client.updateSubresource(kind, ref, subresource, body, options);
        note(kind, resourceVersionOf(answer));
        return answer;
      },
      as: (identity) => trackOwnWrites(client.as(identity), informerOf).client,
    },
    async visible(signal) {
      for (const [informer, resourceVersion] of versions) await informer.caughtUp(resourceVersion, signal);
      for (const { informer, key, uid } of deletions) await informer.sawDeletion(key, uid, signal);
    },
  };
}

function resourceVersionOf(answer: JsonObject): string | undefined {
  const metadata = answer['metadata'];
  if (typeof metadata !== 'object' || metadata === null || !('resourceVersion' in metadata)) return undefined;
  return typeof metadata.resourceVersion === 'string' ? metadata.resourceVersion : undefined;
}
