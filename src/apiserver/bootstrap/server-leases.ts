import type { ApiObject } from '#machinery/meta.ts';
import type { Store, StoredEntry } from '#storage/store.ts';
import { StoredObject } from '../cache/stored-object.ts';

/** Where upstream's servers say that they live, one key for each address. */
const prefix = '/registry/masterleases/';
/** A server that has said nothing for so long is dead (upstream's `DefaultEndpointReconcilerTTL`). */
const ttlSeconds = 15;
/** Nobody else writes a server's key, but for its predecessor that is about to end. */
const maxAttempts = 5;

/** What each server says of itself in the store that all share: an Endpoints object with its address. */
export class ServerLeases {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Says that the server at this address is alive. @throws Error when somebody else keeps saying so. */
  async renew(address: string): Promise<void> {
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      const current = await this.#store.get(prefix + address);
      const generation =
        1 + (current === undefined ? 0 : (StoredObject.of(current.value).object.metadata.generation ?? 0));
      const object = {
        apiVersion: 'v1',
        kind: 'Endpoints',
        metadata: { generation },
        subsets: [{ addresses: [{ ip: address }] }],
      } as ApiObject;
      const written = await this.#store.commit({
        key: prefix + address,
        expectedRevision: current?.modRevision ?? 0,
        value: () => StoredObject.ofObject(object),
        ttlSeconds,
      });
      if (written.outcome === 'committed') return;
    }
    throw new Error(`the lease of ${address} is written by somebody else`);
  }

  async remove(address: string): Promise<void> {
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      const current = await this.#store.get(prefix + address);
      if (current === undefined) return;
      const { modRevision: expectedRevision } = current;
      const removed = await this.#store.commit({ key: prefix + address, expectedRevision, value: undefined });
      if (removed.outcome === 'committed') return;
    }
  }

  /** Addresses of the servers that live, in order. */
  async alive(): Promise<readonly string[]> {
    await this.#store.fresh?.();
    const result = await this.#store.range(prefix);
    return result.outcome === 'read' ? result.entries.map(addressOf).sort() : [];
  }
}

function addressOf({ key }: StoredEntry): string {
  return key.slice(prefix.length);
}
