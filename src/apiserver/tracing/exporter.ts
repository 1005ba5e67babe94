import type { Client } from '@grpc/grpc-js';
import { Batches, type BatchOptions } from '#base/batches.ts';
import type { Environment } from '#base/environment.ts';
import { type Attributes, encodeSpans } from './otlp.ts';
import type { FinishedSpan } from './tracer.ts';

/** As OpenTelemetry's batch processor does by default. */
const limits: BatchOptions = { bufferSize: 2048, maxSize: 512, maxWaitMs: 5000 };
const timeoutMs = 10_000;
const method = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

/** Sends spans in batches to a collector over gRPC; more than the queue holds are dropped. */
export class SpanExporter {
  readonly #environment: Environment;
  readonly #resource: Attributes;
  /** gRPC is loaded by those who trace. */
  readonly #grpc = import('@grpc/grpc-js');
  readonly #client: Promise<Client>;
  readonly #batches: Batches<FinishedSpan>;
  #dropped = 0;

  constructor(
    environment: Environment,
    { endpoint, resource }: { readonly endpoint: string; readonly resource: Attributes },
  ) {
    this.#environment = environment;
    this.#resource = resource;
    this.#batches = new Batches(limits, environment.clock, (spans) => this.#send(spans));
    this.#client = this.#grpc.then(({ Client, credentials }) => new Client(endpoint, credentials.createInsecure()));
  }

  add(span: FinishedSpan): void {
    if (!this.#batches.add(span)) this.#dropped++;
  }

  async close(): Promise<void> {
    await this.#batches.close();
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
