import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Http2Request } from './http2/request.ts';
import type { PlainRequest } from './plain/request.ts';

/** Requests over HTTP/1.1 and HTTP/2. */
export type AnyRequest = PlainRequest | IncomingMessage | Http2Request;

export type Written = (error?: Error | null) => void;

export type HeaderValue = number | string | readonly string[];

/** What answers are sent through: the part that is used of Node's `ServerResponse`. */
export interface AnyResponse {
  statusCode: number;
  /** Whether status and headers are settled. */
  readonly headersSent: boolean;
  /** Whether all has been given to the operating system. */
  readonly writableFinished: boolean;
  readonly destroyed: boolean;
  /** Bytes that were written and have not been taken yet. */
  readonly writableLength: number;
  /** HTTP/1.1 only: whether what is written is framed as chunks. */
  chunkedEncoding: boolean;
  /** Headers that are known before the answer is; Node writes them faster together with the others than one by one. */
  earlyHeaders?: OutgoingHttpHeaders;
  /** Bytes of its body so far. */
  sentBytes?: number;
  /** The client reads answers that are compressed. */
  takesGzip?: boolean;
  getHeader(name: string): HeaderValue | undefined;
  setHeader(name: string, value: HeaderValue): unknown;
  appendHeader(name: string, value: string): unknown;
  writeHead(status: number, headers?: OutgoingHttpHeaders): unknown;
  flushHeaders(): void;
  write(bytes: Uint8Array, written?: Written): boolean;
  end(bytes?: Uint8Array | string, written?: Written): unknown;
  destroy(): unknown;
  once(event: 'drain' | 'close', listener: () => void): unknown;
  off(event: 'drain' | 'close', listener: () => void): unknown;
}

/** Answers that end with their head. */
export function isWithoutBody(status: number): boolean {
  return status === 204 || status === 304;
}

/** A header that stands there once more. */
export function appended(before: HeaderValue | undefined, value: string): HeaderValue {
  return before === undefined ? value : [...[before].flat().map(String), value];
}
