import type { Batches, BatchOptions } from '#base/batches.ts';
import { sleep } from '#base/clock.ts';
import type { Environment } from '#base/environment.ts';
import { TokenBucket } from '#base/token-bucket.ts';
import { ConfiguredWebhook } from '../webhooks/configured.ts';
import { auditBatches } from './batches.ts';
import { type AuditBackend, type AuditEvent, AuditFailure } from './event.ts';
import type { TruncationOptions } from './truncation.ts';

export interface AuditWebhookOptions {
  /** Path of a kubeconfig that leads to the webhook (`--audit-webhook-config-file`). */
  readonly configFile: string;
  readonly mode?: 'batch' | 'blocking' | 'blocking-strict';
  readonly batch?: Partial<BatchOptions>;
  /** 10 seconds unless set (`--audit-webhook-initial-backoff`). */
  readonly initialBackoffMs?: number;
  /** Batches a second, and at once (`--audit-webhook-batch-throttle-qps`, `-burst`); false: as many as there are. */
  readonly throttle?: false | { readonly perSecond?: number; readonly burst?: number };
  /** Absent: events are sent as they are. */
  readonly truncation?: TruncationOptions;
}

const defaultBatch: BatchOptions = { bufferSize: 10_000, maxSize: 400, maxWaitMs: 30_000 };
const defaultBackoffMs = 10_000;
const attempts = 5;
const timeoutMs = 30_000;
const defaultRate = { perSecond: 10, burst: 15 };

/**
 * Posts lists of events to a webhook; what it cannot take after some attempts is lost and counted. Blocking, a request
 * waits for its event; strict, it is refused when the event is lost.
 */
export class AuditWebhook implements AuditBackend {
  readonly #webhook: ConfiguredWebhook;
  readonly #environment: Environment;
  /** Undefined: each request waits until its event is there. */
  readonly #batches: Batches<AuditEvent> | undefined;
  readonly #isStrict: boolean;
  readonly #initialBackoffMs: number;
  readonly #permits: TokenBucket | undefined;

  /** @throws Error when the file leads nowhere. */
  constructor(options: AuditWebhookOptions, environment: Environment) {
    this.#webhook = new ConfiguredWebhook(options.configFile, environment.clock);
    this.#environment = environment;
    const { mode = 'batch', throttle = {} } = options;
    const isBatch = mode === 'batch';
    this.#isStrict = mode === 'blocking-strict';
    this.#permits =
      isBatch && throttle !== false ? new TokenBucket(environment.clock, { ...defaultRate, ...throttle }) : undefined;
    this.#initialBackoffMs = options.initialBackoffMs ?? defaultBackoffMs;
    const batch = { ...defaultBatch, ...options.batch };
    this.#batches = isBatch ? auditBatches(batch, environment, (events) => this.#post(events)) : undefined;
  }

  write(event: AuditEvent): void | Promise<void> {
    if (this.#batches !== undefined) return void this.#batches.add(event);
    return this.#post([event]).catch((error: unknown) => {
      this.#environment.log.error('audit events are lost', { events: 1, error: String(error) });
      if (this.#isStrict) throw new AuditFailure();
    });
  }

  async close(): Promise<void> {
    await this.#batches?.close();
    this.#webhook.close();
  }

  async #post(items: readonly AuditEvent[]): Promise<void> {
    const body = { kind: 'EventList', apiVersion: 'audit.k8s.io/v1', metadata: {}, items };
    const { clock } = this.#environment;
    while (this.#permits?.tryTake() === false) await sleep(clock, this.#permits.waitMs());
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
