import { sleep } from '#base/clock.ts';
import type { Environment } from '#base/environment.ts';
import { Lease } from '#kinds/generated/handles.ts';
import type { Lease as LeaseObject } from '#kinds/generated/types/coordination_v1.ts';
import { isReason } from '#machinery/errors.ts';
import type { Client } from './client.ts';

/** Upstream's defaults for control-plane components. */
const leaderElectionDefaults = {
  leaseDurationMs: 15_000,
  renewDeadlineMs: 10_000,
  retryPeriodMs: 2_000,
} as const;

export interface LeaderElectionOptions {
  readonly client: Client;
  readonly environment: Environment;
  /** The Lease, for example `kube-scheduler` in `kube-system`. */
  readonly name: string;
  readonly namespace: string;
  /** Who this is; no two candidates share one. */
  readonly identity: string;
  readonly leaseDurationMs?: number;
  readonly renewDeadlineMs?: number;
  readonly retryPeriodMs?: number;
}

/**
 * Waits until this candidate holds the Lease, then calls `lead` with a signal that aborts when leadership is lost.
 * Resolves when `signal` aborts or leadership is lost; the Lease is released on the way out so that the next
 * candidate need not wait.
 */
export async function runWithLeadership(
  options: LeaderElectionOptions,
  lead: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const candidate = new Candidate({ ...leaderElectionDefaults, ...options });
  try {
    while (!(await candidate.tryHold(signal))) await candidate.pause(signal);
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
  const lost = new AbortController();
  const leading = AbortSignal.any([signal, lost.signal]);
  const work = lead(leading);
  await candidate.keep(leading);
  lost.abort(new Error('leadership lost'));
  await work.catch((error: unknown) => {
    if (!leading.aborted) throw error;
  });
  if (signal.aborted) await candidate.release();
}

class Candidate {
  readonly #options: Required<LeaderElectionOptions>;
  /** The record as last seen, and when it was first seen like this: other machines' clocks are not trusted. */
  #seen: { readonly record: string; readonly atMs: number } | undefined;

  constructor(options: Required<LeaderElectionOptions>) {
    this.#options = options;
  }

  async pause(signal: AbortSignal): Promise<void> {
    const { environment, retryPeriodMs } = this.#options;
    // Up to 20 % later, so that candidates do not knock in step.
    await sleep(environment.clock, retryPeriodMs * (1 + 0.2 * environment.random.next()), signal);
  }

  /** Renews until `signal` aborts or the deadline passes without a renewal. */
  async keep(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options.environment;
    let renewedMs = clock.monotonic();
    while (!signal.aborted && clock.monotonic() - renewedMs < this.#options.renewDeadlineMs) {
      try {
        await this.pause(signal);
        if (await this.tryHold(signal)) renewedMs = clock.monotonic();
      } catch {
        // Only the abort of the pause comes here; the loop's condition sees it.
      }
    }
  }

  /** One attempt to take or renew the Lease. */
  async tryHold(signal: AbortSignal): Promise<boolean> {
    const { client, environment, name, namespace, identity } = this.#options;
    try {
      const lease = await client.get(Lease, { name, namespace }, { signal }).catch((error: unknown) => {
        if (isReason(error, 'NotFound')) return undefined;
        throw error;
      });
      if (lease === undefined) {
        await client.create(Lease, { metadata: { name, namespace }, spec: this.#spec(undefined) }, { signal });
        return true;
      }
      const held = lease.spec?.holderIdentity ?? '';
      if (held !== '' && held !== identity && !this.#isStale(lease)) return false;
      await client.update(Lease, { ...lease, spec: this.#spec(lease) }, { signal });
      return true;
    } catch (error) {
      if (signal.aborted) throw error;
      const message = error instanceof Error ? error.message : String(error);
      environment.log.debug('cannot take the lease', { name, message });
      return false;
    }
  }

  /** Empties the holder, best effort. */
  async release(): Promise<void> {
    const { client, name, namespace, identity } = this.#options;
    try {
      const lease = await client.get(Lease, { name, namespace });
      if (lease.spec?.holderIdentity !== identity) return;
      const spec = { ...this.#spec(lease), holderIdentity: '', leaseDurationSeconds: 1 };
      await client.update(Lease, { ...lease, spec });
    } catch {
      // The Lease runs out by itself.
    }
  }

  #isStale(lease: LeaseObject): boolean {
    const nowMs = this.#options.environment.clock.monotonic();
    const record = JSON.stringify(lease.spec ?? {});
    if (this.#seen?.record !== record) this.#seen = { record, atMs: nowMs };
    const durationMs = (lease.spec?.leaseDurationSeconds ?? 0) * 1000;
    return nowMs - this.#seen.atMs >= durationMs;
  }

  #spec(lease: LeaseObject | undefined): NonNullable<LeaseObject['spec']> {
    const { identity, leaseDurationMs, environment } = this.#options;
    const now = new Date(environment.clock.now()).toISOString().replace('Z', '000Z');
    const old = lease?.spec;
    const isRenewal = old?.holderIdentity === identity;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseDurationMs / 1000),
      acquireTime: isRenewal ? (old.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: (old?.leaseTransitions ?? 0) + (old === undefined || isRenewal ? 0 : 1),
    };
  }
}
