import type { Timer } from '#base/clock.ts';
import type { Environment } from '#base/environment.ts';
import type { AuditEvent } from './event.ts';

export interface BatchOptions {
  /** Events that may wait; more are dropped. */
  readonly bufferSize: number;
  /** Events that go together at most. */
  readonly maxSize: number;
  /** How long the first of them waits for others. */
  readonly maxWaitMs: number;
}

/** Gathers events, so that requests do not wait for where they go. */
export class Batches {
  readonly #options: BatchOptions;
  readonly #environment: Environment;
  readonly #deliver: (events: readonly AuditEvent[]) => void | Promise<void>;
  #waiting: AuditEvent[] = [];
  #timer: Timer | undefined;
  #delivering: Promise<void> | undefined;
  /** Events that nobody will see. */
  dropped = 0;

  constructor(
    options: BatchOptions,
    environment: Environment,
    deliver: (events: readonly AuditEvent[]) => void | Promise<void>,
  ) {
    this.#options = options;
    this.#environment = environment;
    this.#deliver = deliver;
  }

  add(event: AuditEvent): void {
    const { bufferSize, maxSize, maxWaitMs } = this.#options;
    if (this.#waiting.length >= bufferSize) {
      this.dropped++;
      return;
    }
    this.#waiting.push(event);
    if (this.#waiting.length >= maxSize) this.#send();
    else this.#timer ??= this.#environment.clock.schedule(maxWaitMs, () => this.#send());
  }

  #send(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#delivering ??= this.#sendAll().finally(() => {
      this.#delivering = undefined;
    });
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#options.maxSize);
      try {
        await this.#deliver(batch);
      } catch (error) {
        this.dropped += batch.length;
        this.#environment.log.error('audit events are lost', { events: batch.length, error: String(error) });
      }
    }
  }

  async close(): Promise<void> {
    this.#send();
    await this.#delivering;
  }
}
