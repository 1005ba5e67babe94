import type { ApiObject } from '#machinery/meta.ts';
import type { Store, StoredEntry } from '#storage/store.ts';
import { StoredObject } from '../cache/stored-object.ts';

/** Where upstream's servers say that they live, one key for each address. */
const prefix = '/registry/masterleases/';
/** A server that has said nothing for so long is dead (upstream's `DefaultEndpointReconcilerTTL`). */
const ttlSeconds = 15;
/** Nobody else writes a server's key, but for its predecessor that is about to end. */
const maxAttempts = 5;

/** Where a server can be reached by pods. */
export interface ServerAddress {
  /** IPv4, and not on loopback. */
  readonly address: string;
  readonly port: number;
}

interface Lease extends ApiObject {
  readonly subsets?: readonly {
    readonly addresses?: readonly { readonly ip: string }[];
    readonly ports?: readonly { readonly port: number }[];
  }[];
}

/**
 * What each server says of itself in the store that all share: an Endpoints object with its address. Ours add their
 * port; official servers leave it out and do not look for it, for there all servers have the same.
 */
export class ServerLeases {
  readonly #store: Store;
  readonly #own: ServerAddress;
  #key: string | undefined;

  constructor(store: Store, own: ServerAddress) {
    this.#store = store;
    this.#own = own;
  }

  /** Says that this server is alive. @throws Error when somebody else keeps saying so. */
  async renew(): Promise<void> {
    const { address, port } = this.#own;
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      this.#key ??= await this.#freeKey();
      const current = await this.#store.get(this.#key);
      const generation = 1 + (current === undefined ? 0 : (leaseOf(current).metadata.generation ?? 0));
      const object = {
        apiVersion: 'v1',
        kind: 'Endpoints',
        metadata: { generation },
        subsets: [{ addresses: [{ ip: address }], ports: [{ name: 'https', port, protocol: 'TCP' }] }],
      } as ApiObject;
      const written = await this.#store.commit({
        key: this.#key,
        expectedRevision: current?.modRevision ?? 0,
        value: () => StoredObject.ofObject(object),
        ttlSeconds,
      });
      if (written.outcome === 'committed') return;
    }
    throw new Error(`the lease of ${address} is written by somebody else`);
  }

  /** The address is upstream's key; where another server of the same address has it, with the port behind it. */
  async #freeKey(): Promise<string> {
    const { address, port } = this.#own;
    const current = await this.#store.get(prefix + address);
    const taken = current === undefined ? undefined : serverOf(current, port);
    return taken === undefined || taken.port === port ? prefix + address : `${prefix}${address}:${port}`;
  }

  async remove(): Promise<void> {
    const key = this.#key;
    if (key === undefined) return;
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      const current = await this.#store.get(key);
      if (current === undefined) return;
      const removed = await this.#store.commit({ key, expectedRevision: current.modRevision, value: undefined });
      if (removed.outcome === 'committed') return;
    }
  }

  /** The servers that live, in order. One that does not name its port has the same as this one. */
  async alive(): Promise<readonly ServerAddress[]> {
    await this.#store.fresh?.();
    const result = await this.#store.range(prefix);
    return result.outcome === 'read' ? result.entries.map((entry) => serverOf(entry, this.#own.port)) : [];
  }
}

function leaseOf({ value }: StoredEntry): Lease {
  return StoredObject.of(value).object;
}

function serverOf(entry: StoredEntry, defaultPort: number): ServerAddress {
  const subset = leaseOf(entry).subsets?.[0];
  const [address = ''] = entry.key.slice(prefix.length).split(':');
  return { address: subset?.addresses?.[0]?.ip ?? address, port: subset?.ports?.[0]?.port ?? defaultPort };
}
