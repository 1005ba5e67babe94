import type { Clock } from '#base/clock.ts';
import { overdueAtMs } from '#kinds/core/resource-quota/pod-usage.ts';
import { evaluatorOf, isInScope, plus, type QuotaEvaluator, type Usage } from '#kinds/core/resource-quota/usage.ts';
import type { Pod, ResourceQuota } from '#kinds/generated/types/core_v1.ts';
import { type Quantity, subtractQuantities } from '#machinery/quantity.ts';
import type { CacheEvent } from '../../cache/resource-cache.ts';
import type { StoredObject } from '../../cache/stored-object.ts';
import type { ServedResource } from '../../resources/resource.ts';

/** What is admitted and not yet in the store. */
export interface Reservation {
  readonly objectUid: string;
  readonly quotaUid: string;
  readonly amounts: Usage;
}

interface Tally {
  readonly quota: ResourceQuota;
  readonly sums: Map<string, Quantity>;
  /** From then on a pod that is counted should be gone. */
  readonly staleAtMs: number;
}

/**
 * What the objects of one kind really take from quotas: counted once, then kept in step with every write, and what
 * has been admitted on top. A quota's status is written by others, too; this is what keeps a count of theirs that
 * came too early from letting too much in.
 */
export class KindLedger {
  readonly #resource: ServedResource;
  readonly #evaluator: QuotaEvaluator;
  readonly #clock: Clock;
  /** By namespace, then by the quota's uid. */
  readonly #tallies = new Map<string, Map<string, Tally>>();
  readonly #reservations = new Set<Reservation>();
  readonly #usages = new WeakMap<StoredObject, Usage>();

  constructor(resource: ServedResource, clock: Clock) {
    this.#resource = resource;
    this.#evaluator = evaluatorOf(resource.kind);
    this.#clock = clock;
    resource.storage!.cache.onEvent((event) => this.#onEvent(event));
  }

  /** Whether its kind is gone. */
  get closed(): boolean {
    return this.#resource.storage!.cache.closed;
  }

  /** What is taken from the quota, that is admitted included; undefined for names that nothing takes. */
  taken(quota: ResourceQuota, name: string): Quantity | undefined {
    let taken = this.#tally(quota).sums.get(name);
    for (const { quotaUid, amounts } of this.#reservations) {
      const amount = quotaUid === quota.metadata.uid ? amounts.get(name) : undefined;
      if (amount !== undefined) taken = plus(taken, amount);
    }
    return taken;
  }

  /** Holds what an object will take until it is stored, or until the reservation is released. */
  reserve(reservation: Reservation): void {
    this.#reservations.add(reservation);
  }

  release(reservation: Reservation): void {
    this.#reservations.delete(reservation);
  }

  /** Forgets a quota that is gone. */
  forget(namespace: string, quotaUid: string): void {
    const tallies = this.#tallies.get(namespace);
    tallies?.delete(quotaUid);
    if (tallies?.size === 0) this.#tallies.delete(namespace);
  }

  #tally(quota: ResourceQuota): Tally {
    const { uid = '', namespace = '' } = quota.metadata;
    let tallies = this.#tallies.get(namespace);
    if (tallies === undefined) {
      tallies = new Map();
      this.#tallies.set(namespace, tallies);
    }
    let tally = tallies.get(uid);
    if (tally === undefined || tally.staleAtMs < this.#clock.now()) {
      tally = this.#count(quota, namespace);
      tallies.set(uid, tally);
    }
    return tally;
  }

  #count(quota: ResourceQuota, namespace: string): Tally {
    const sums = new Map<string, Quantity>();
    const nowMs = this.#clock.now();
    let staleAtMs = Number.POSITIVE_INFINITY;
    for (const { value } of this.#resource.storage!.cache.entries(namespace)) {
      if (!isInScope(quota, this.#resource.kind, value.object)) continue;
      for (const [name, amount] of this.#evaluator.usage(value.object, nowMs))
        sums.set(name, plus(sums.get(name), amount));
      const dueMs = this.#dueMs(value);
      if (dueMs >= nowMs) staleAtMs = Math.min(staleAtMs, dueMs);
    }
    return { quota, sums, staleAtMs };
  }

  #dueMs({ object }: StoredObject): number {
    const isPod = this.#resource.kind.resource === 'pods' && this.#resource.kind.group === '';
    return (isPod ? overdueAtMs(object as Pod) : undefined) ?? Number.POSITIVE_INFINITY;
  }

  #onEvent({ type, key, value, previous }: CacheEvent): void {
    if (this.#reservations.size > 0) this.#settle(value.object.metadata.uid ?? '');
    const slash = key.indexOf('/');
    const tallies = this.#tallies.get(key.slice(0, slash));
    if (tallies === undefined) return;
    // What was left out for being overdue cannot be taken back: count again.
    if (previous !== undefined && this.#dueMs(previous) < this.#clock.now()) {
      tallies.clear();
      return;
    }
    for (const [uid, tally] of tallies) {
      if (previous !== undefined) this.#change(tally, previous, subtractQuantities);
      if (type !== 'DELETED') this.#change(tally, value, plus);
      const dueMs = this.#dueMs(value);
      if (type !== 'DELETED' && dueMs < tally.staleAtMs) tallies.set(uid, { ...tally, staleAtMs: dueMs });
    }
  }

  #settle(objectUid: string): void {
    for (const reservation of this.#reservations)
      if (reservation.objectUid === objectUid) this.#reservations.delete(reservation);
  }

  #change({ quota, sums }: Tally, value: StoredObject, by: (sum: Quantity, amount: Quantity) => Quantity): void {
    if (!isInScope(quota, this.#resource.kind, value.object)) return;
    let usage = this.#usages.get(value);
    if (usage === undefined) {
      // Time plays no part here: a count that has become wrong by its passing is thrown away as a whole.
      usage = this.#evaluator.usage(value.object, 0);
      this.#usages.set(value, usage);
    }
    for (const [name, amount] of usage) sums.set(name, by(sums.get(name) ?? nothing, amount));
  }
}

const nothing: Quantity = { nanos: 0n, format: 'decimal' };
