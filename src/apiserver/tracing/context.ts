/** Which span of which trace, as it travels between programs (https://www.w3.org/TR/trace-context/). */
export interface SpanContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  readonly isSampled: boolean;
  /** What other systems keep beside it; passed on as it is. */
  readonly state: string;
}

const written = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
/** A longer state is dropped, as the specification allows. */
const maxStateLength = 512;

/** Reads `traceparent` and `tracestate`; undefined when there is none that counts. */
export function readContext(parent: string | undefined, state: string | undefined): SpanContext | undefined {
  const match = parent === undefined ? null : written.exec(parent.trim());
  if (match === null) return undefined;
  const [, version, traceId = '', spanId = '', flags = '', more] = match;
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  const isSampled = (Number.parseInt(flags, 16) & 1) === 1;
  return { traceId, spanId, isSampled, state: state !== undefined && state.length <= maxStateLength ? state : '' };
}

/** The headers by which the next program knows the span that called it. */
export function contextHeaders({ traceId, spanId, isSampled, state }: SpanContext): Readonly<Record<string, string>> {
  const traceparent = `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
  return state === '' ? { traceparent } : { traceparent, tracestate: state };
}
