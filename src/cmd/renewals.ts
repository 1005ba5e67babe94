import { sleep } from '#base/clock.ts';
import type { Environment } from '#base/environment.ts';
import type { Pki } from './pki.ts';

/** Certificates are renewed months before their end, so a look a day is plenty, and a failure may wait for the next. */
const intervalMs = 24 * 3600 * 1000;

export interface RenewalsOptions {
  /** What is in use at the start. */
  readonly pki: Pki;
  /** Makes anew what is about to expire: `ensurePki`. */
  readonly renew: () => Promise<Pki>;
  readonly environment: Environment;
}

/** Keeps the certificates of a cluster that runs for months from expiring. */
export class Renewals {
  readonly #options: RenewalsOptions;
  readonly #callbacks: ((pki: Pki) => void)[] = [];

  constructor(options: RenewalsOptions) {
    this.#options = options;
  }

  onRenewed(callback: (pki: Pki) => void): void {
    this.#callbacks.push(callback);
  }

  /** Looks once a day. Rejects when `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { renew, environment } = this.#options;
    const log = environment.log.named('certificates');
    let current = this.#options.pki;
    for (;;) {
      await sleep(environment.clock, intervalMs, signal);
      try {
        const renewed = await renew();
        if (isSame(renewed, current)) continue;
        current = renewed;
        log.info('renewed certificates');
        for (const callback of this.#callbacks) callback(renewed);
      } catch (error) {
        log.warn('certificates could not be renewed, next attempt tomorrow', { error: String(error) });
      }
    }
  }
}

function isSame(left: Pki, right: Pki): boolean {
  return left.serving.certificate === right.serving.certificate && left.admin.certificate === right.admin.certificate;
}
