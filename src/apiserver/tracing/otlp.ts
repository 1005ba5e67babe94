import type { FinishedSpan, SpanKind } from './tracer.ts';

/** How spans are written for a collector: https://github.com/open-telemetry/opentelemetry-proto, trace/v1. */

export type AttributeValue = string | number | boolean;
export type Attributes = Readonly<Record<string, AttributeValue>>;

const kinds: Readonly<Record<SpanKind, number>> = { internal: 1, server: 2, client: 3 };
const errorStatus = 2;
/** Of links and spans: what the lower byte of a `traceparent` says. */
const sampledFlag = 1;

/** An `ExportTraceServiceRequest` with all spans under one resource. */
export function encodeSpans(spans: readonly FinishedSpan[], resource: Attributes): Buffer {
  const scope = field(1, field(1, 'proa/apiserver'));
  const scoped = Buffer.concat([scope, ...spans.map((span) => field(2, encodeSpan(span)))]);
  return field(1, Buffer.concat([field(1, attributes(1, resource)), field(2, scoped)]));
}

function encodeSpan(span: FinishedSpan): Buffer {
  const { context, parentId, link } = span;
  return Buffer.concat([
    field(1, Buffer.from(context.traceId, 'hex')),
    field(2, Buffer.from(context.spanId, 'hex')),
    ...(context.state === '' ? [] : [field(3, context.state)]),
    ...(parentId === undefined ? [] : [field(4, Buffer.from(parentId, 'hex'))]),
    field(5, span.name),
    number(6, kinds[span.kind]),
    fixed64(7, nanoseconds(span.startMs)),
    fixed64(8, nanoseconds(span.endMs)),
    attributes(9, span.attributes),
    ...(link === undefined
      ? []
      : [
          field(
            13,
            Buffer.concat([field(1, Buffer.from(link.traceId, 'hex')), field(2, Buffer.from(link.spanId, 'hex'))]),
          ),
        ]),
    ...(span.error === undefined ? [] : [field(15, Buffer.concat([field(2, span.error), number(3, errorStatus)]))]),
    fixed32(16, sampledFlag),
  ]);
}

/** Whole microseconds are as much as the clock knows. */
function nanoseconds(ms: number): bigint {
  return BigInt(Math.round(ms * 1000)) * 1000n;
}

function attributes(at: number, values: Attributes): Buffer {
  return Buffer.concat(
    Object.entries(values).map(([key, value]) => field(at, Buffer.concat([field(1, key), field(2, anyValue(value))]))),
  );
}

function anyValue(value: AttributeValue): Buffer {
  if (typeof value === 'string') return field(1, value);
  return typeof value === 'boolean' ? number(2, Number(value)) : number(3, value);
}

function field(at: number, content: string | Uint8Array): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return Buffer.concat([varint(at * 8 + 2), varint(bytes.length), bytes]);
}

function number(at: number, value: number): Buffer {
  return Buffer.concat([varint(at * 8), varint(value)]);
}

function fixed64(at: number, value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return Buffer.concat([varint(at * 8 + 1), bytes]);
}

function fixed32(at: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return Buffer.concat([varint(at * 8 + 5), bytes]);
}

/** Of whole numbers from zero. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = Math.max(0, Math.trunc(value));
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...bytes, rest]);
}
