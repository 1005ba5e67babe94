import type { IncomingHttpHeaders } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { PlainHead } from './head.ts';

/** A request that has come as a whole. */
export class PlainRequest {
  readonly method: string;
  readonly url: string;
  /** By lower-case name; what the server notes of a request is added here. */
  readonly headers: IncomingHttpHeaders;
  readonly httpVersion = '1.1';
  readonly httpVersionMajor = 1;
  readonly socket: TLSSocket;
  readonly body: Uint8Array;

  constructor({ method, target, headers }: PlainHead, socket: TLSSocket, body: Uint8Array) {
    this.method = method;
    this.url = target;
    this.headers = { ...headers };
    this.socket = socket;
    this.body = body;
  }

  /** Names and values in turn. */
  get rawHeaders(): string[] {
    return Object.entries(this.headers).flat() as string[];
  }
}
