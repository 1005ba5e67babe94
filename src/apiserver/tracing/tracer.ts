import { AsyncLocalStorage } from 'node:async_hooks';
import type { Environment } from '#base/environment.ts';
import { randomUuid } from '#base/random.ts';
import type { TracingConfiguration } from './configuration.ts';
import { contextHeaders, readContext, type SpanContext } from './context.ts';
import { SpanExporter } from './exporter.ts';
import type { Attributes } from './otlp.ts';

export type SpanKind = 'server' | 'client' | 'internal';

export interface FinishedSpan {
  readonly context: SpanContext;
  readonly parentId: string | undefined;
  /** A span of somebody who is not believed about being the parent. */
  readonly link: SpanContext | undefined;
  readonly name: string;
  readonly kind: SpanKind;
  /** Wall-clock milliseconds. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  /** Why it failed. */
  readonly error: string | undefined;
}

export interface SpanOptions {
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes?: Attributes;
  /** Absent: now. */
  readonly startMs?: number;
}

/** A request as its trace begins here. */
export interface IncomingTrace extends SpanOptions {
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
  /** Whether the client may say which trace the request is part of; others are linked to. */
  readonly isTrusted: boolean;
}

/** Something that takes time; told of once, by `end`. */
export interface Span {
  readonly context: SpanContext;
  end(outcome?: { readonly attributes?: Attributes; readonly error?: string }): void;
}

/** Where a request keeps its span. */
interface Place {
  span: Span | undefined;
}

/** Follows requests through this program and on to others (OpenTelemetry, KEP-647). */
export class Tracer {
  readonly #environment: Environment;
  readonly #exporter: SpanExporter;
  readonly #rate: number;
  readonly #places = new AsyncLocalStorage<Place>();

  constructor(environment: Environment, { endpoint, samplingRatePerMillion }: TracingConfiguration) {
    this.#environment = environment;
    this.#rate = samplingRatePerMillion / 1_000_000;
    const instance = `apiserver-${randomUuid(environment.random)}`;
    const resource = { 'service.name': 'apiserver', 'service.instance.id': instance };
    this.#exporter = new SpanExporter(environment, { endpoint, resource });
  }

  /** Runs `work` where spans find the request that they belong to. */
  inRequest<T>(work: () => T): T {
    return this.#places.run({ span: undefined }, work);
  }

  /** Begins the request's own span; those of what it does are its children. */
  begin({ traceparent, tracestate, isTrusted, ...options }: IncomingTrace): Span {
    const remote = readContext(traceparent, tracestate);
    const span = this.#start(options, isTrusted ? remote : undefined, isTrusted ? undefined : remote);
    const place = this.#places.getStore();
    if (place !== undefined) place.span = span;
    return span;
  }

  /** A part of the request that is being served; undefined outside of one. */
  child(options: SpanOptions): Span | undefined {
    const parent = this.#places.getStore()?.span;
    return parent === undefined ? undefined : this.#start(options, parent.context, undefined);
  }

  /** Sends what is left. */
  close(): Promise<void> {
    return this.#exporter.close();
  }

  #start(options: SpanOptions, parent: SpanContext | undefined, link: SpanContext | undefined): Span {
    const { clock, random } = this.#environment;
    const hex = (count: number): string => Buffer.from(random.bytes(count)).toString('hex');
    const traceId = parent?.traceId ?? hex(16);
    const isSampled = parent?.isSampled ?? this.#samples(traceId);
    const context = { traceId, spanId: hex(8), isSampled, state: parent?.state ?? '' };
    const { name, kind, startMs = clock.now() } = options;
    const sinceMs = clock.monotonic() - (clock.now() - startMs);
    let isEnded = !isSampled;
    return {
      context,
      end: ({ attributes = {}, error } = {}) => {
        if (isEnded) return;
        isEnded = true;
        const endMs = startMs + clock.monotonic() - sinceMs;
        const all = { ...options.attributes, ...attributes };
        this.#exporter.add({
          context,
          parentId: parent?.spanId,
          link,
          name,
          kind,
          startMs,
          endMs,
          attributes: all,
          error,
        });
      },
    };
  }

  /** By the trace's own number, so that all programs decide alike. */
  #samples(traceId: string): boolean {
    return Number.parseInt(traceId.slice(16, 28), 16) / 2 ** 48 < this.#rate;
  }
}

/** The headers that a call takes with it. */
export function spanHeaders(span: Span | undefined): Readonly<Record<string, string>> {
  return span === undefined ? {} : contextHeaders(span.context);
}
