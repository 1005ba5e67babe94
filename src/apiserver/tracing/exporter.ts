import type { Client } from '@grpc/grpc-js';
import type { Timer } from '#base/clock.ts';
import type { Environment } from '#base/environment.ts';
import { type Attributes, encodeSpans } from './otlp.ts';
import type { FinishedSpan } from './tracer.ts';

/** As OpenTelemetry's batch processor does by default. */
const maxQueue = 2048;
const maxBatch = 512;
const intervalMs = 5000;
const timeoutMs = 10_000;
const method = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

/** Sends spans in batches to a collector over gRPC; more than the queue holds are dropped. */
export class SpanExporter {
  readonly #environment: Environment;
  readonly #resource: Attributes;
  /** gRPC is loaded by those who trace. */
  readonly #grpc = import('@grpc/grpc-js');
  readonly #client: Promise<Client>;
  #queue: FinishedSpan[] = [];
  #timer: Timer | undefined;
  #sending: Promise<void> | undefined;
  #dropped = 0;

  constructor(
    environment: Environment,
    { endpoint, resource }: { readonly endpoint: string; readonly resource: Attributes },
  ) {
    this.#environment = environment;
    this.#resource = resource;
    this.#client = this.#grpc.then(({ Client, credentials }) => new Client(endpoint, credentials.createInsecure()));
  }

  add(span: FinishedSpan): void {
    if (this.#queue.length >= maxQueue) {
      this.#dropped++;
      return;
    }
    this.#queue.push(span);
    if (this.#queue.length >= maxBatch) void this.flush();
    else this.#timer ??= this.#environment.clock.schedule(intervalMs, () => void this.flush());
  }

  /** Sends what there is; one batch at a time. Never rejects. */
  async flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    while (this.#sending !== undefined) await this.#sending;
    const batch = this.#queue.splice(0, maxBatch);
    if (batch.length === 0) return;
    this.#sending = this.#send(batch);
    await this.#sending;
    this.#sending = undefined;
    if (this.#queue.length > 0) await this.flush();
  }

  async close(): Promise<void> {
    await this.flush();
    (await this.#client).close();
  }

  async #send(batch: readonly FinishedSpan[]): Promise<void> {
    const { log } = this.#environment;
    try {
      await this.#export(encodeSpans(batch, this.#resource));
      if (this.#dropped > 0) log.warn('spans were dropped: the collector is too slow', { spans: this.#dropped });
      this.#dropped = 0;
    } catch (error) {
      log.warn('spans are lost', {
        spans: batch.length,
        error: error instanceof Error ? error.message : String(error),
      });
    }
  }

  async #export(request: Buffer): Promise<void> {
    const [client, { Metadata }] = await Promise.all([this.#client, this.#grpc]);
    const same = (bytes: Buffer): Buffer => bytes;
    await new Promise<void>((resolve, reject) => {
      const done = (error: Error | null): void => {
        limit.cancel();
        if (error === null) resolve();
        else reject(error);
      };
      const call = client.makeUnaryRequest(method, same, same, request, new Metadata(), {}, done);
      const limit = this.#environment.clock.schedule(timeoutMs, () => call.cancel());
    });
  }
}
