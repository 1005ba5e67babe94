import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';

/** Requests over HTTP/1.1 and HTTP/2. */
export type AnyRequest = IncomingMessage | Http2ServerRequest;

/** HTTP/2 answers through Node's compatible interface, so one type serves both. */
export type AnyResponse = ServerResponse & {
  /** Headers that are known before the answer is; Node writes them faster together with the others than one by one. */
  earlyHeaders?: OutgoingHttpHeaders;
  /** Bytes of its body so far. */
  sentBytes?: number;
  /** The client reads answers that are compressed. */
  takesGzip?: boolean;
};
