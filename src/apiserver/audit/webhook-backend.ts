import { sleep } from '#base/clock.ts';
import type { Environment } from '#base/environment.ts';
import { TokenBucket } from '#base/token-bucket.ts';
import { ConfiguredWebhook } from '../webhooks/configured.ts';
import { Batches, type BatchOptions } from './batches.ts';
import type { AuditBackend, AuditEvent } from './event.ts';

export interface AuditWebhookOptions {
  /** Path of a kubeconfig that leads to the webhook (`--audit-webhook-config-file`). */
  readonly configFile: string;
  readonly mode?: 'batch' | 'blocking' | 'blocking-strict';
  readonly batch?: Partial<BatchOptions>;
  /** 10 seconds unless set (`--audit-webhook-initial-backoff`). */
  readonly initialBackoffMs?: number;
}

const defaultBatch: BatchOptions = { bufferSize: 10_000, maxSize: 400, maxWaitMs: 30_000 };
const defaultBackoffMs = 10_000;
const attempts = 5;
const timeoutMs = 30_000;
/** Batches a second, and at once. */
const rate = { perSecond: 10, burst: 15 };

/** Posts lists of events to a webhook; what it cannot take after some attempts is lost and counted. */
export class AuditWebhook implements AuditBackend {
  readonly #webhook: ConfiguredWebhook;
  readonly #environment: Environment;
  readonly #batches: Batches;
  readonly #initialBackoffMs: number;
  readonly #permits: TokenBucket;

  /** @throws Error when the file leads nowhere. */
  constructor(options: AuditWebhookOptions, environment: Environment) {
    this.#webhook = new ConfiguredWebhook(options.configFile, environment.clock);
    this.#environment = environment;
    this.#permits = new TokenBucket(environment.clock, rate);
    this.#initialBackoffMs = options.initialBackoffMs ?? defaultBackoffMs;
    const isBatch = (options.mode ?? 'batch') === 'batch';
    const batch = isBatch ? { ...defaultBatch, ...options.batch } : { ...defaultBatch, maxSize: 1, maxWaitMs: 0 };
    this.#batches = new Batches(batch, environment, (events) => this.#post(events));
  }

  write(event: AuditEvent): void {
    this.#batches.add(event);
  }

  async close(): Promise<void> {
    await this.#batches.close();
    this.#webhook.close();
  }

  async #post(items: readonly AuditEvent[]): Promise<void> {
    const body = { kind: 'EventList', apiVersion: 'audit.k8s.io/v1', metadata: {}, items };
    const { clock } = this.#environment;
    while (!this.#permits.tryTake()) await sleep(clock, this.#permits.waitMs());
    let backoffMs = this.#initialBackoffMs;
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#webhook.post(body, timeoutMs);
        return;
      } catch (error) {
        if (attempt === attempts) throw error;
        await sleep(clock, backoffMs);
        backoffMs *= 1.5;
      }
    }
  }
}
