import type { Environment } from '#base/environment.ts';
import { randomInteger } from '#base/random.ts';
import { EtcdRefusal } from './connection.ts';
import { leaseRequest } from './messages.ts';

/** As upstream: keys that are to end at about the same time share a lease, for it costs etcd more than a key does. */
const reuseShare = 0.05;
const maxReuseSeconds = 60;
const maxKeys = 1000;
const idLimit = 2 ** 48;
const maxAttempts = 3;

interface Lease {
  readonly id: number;
  readonly reusableUntilMs: number;
  keys: number;
}

/** Leases for keys that end by themselves. */
export class Leases {
  readonly #grant: (request: Buffer) => Promise<unknown>;
  readonly #environment: Pick<Environment, 'clock' | 'random'>;
  /** By their length in seconds. */
  readonly #known = new Map<number, Lease>();

  constructor(grant: (request: Buffer) => Promise<unknown>, environment: Pick<Environment, 'clock' | 'random'>) {
    this.#grant = grant;
    this.#environment = environment;
  }

  /** The id of a lease that ends after `ttlSeconds` at the earliest, and not much later. */
  async lasting(ttlSeconds: number): Promise<number> {
    const now = this.#environment.clock.monotonic();
    const known = this.#known.get(ttlSeconds);
    if (known !== undefined && known.reusableUntilMs > now && known.keys < maxKeys) {
      known.keys++;
      return known.id;
    }
    const reuseSeconds = Math.min(maxReuseSeconds, Math.floor(ttlSeconds * reuseShare));
    const id = await this.#granted(ttlSeconds + reuseSeconds);
    this.#known.set(ttlSeconds, { id, reusableUntilMs: now + reuseSeconds * 1000, keys: 1 });
    return id;
  }

  async #granted(ttlSeconds: number): Promise<number> {
    for (let attempt = 1; ; attempt++) {
      const id = 1 + randomInteger(this.#environment.random, idLimit);
      try {
        await this.#grant(leaseRequest(id, ttlSeconds));
        return id;
      } catch (error) {
        // Somebody else's id, or our own of an attempt whose answer was lost.
        if (!(error instanceof EtcdRefusal) || attempt === maxAttempts) throw error;
      }
    }
  }
}
