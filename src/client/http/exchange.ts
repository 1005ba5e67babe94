import type { ClientRequest, OutgoingHttpHeaders } from 'node:http';
import type * as http2 from 'node:http2';
import * as https from 'node:https';
import type { Readable } from 'node:stream';
import type { ConnectionOptions, SecureContextOptions } from 'node:tls';
import { type HttpClientOptions, httpLimits } from './options.ts';
import { trusting } from './trust.ts';

export interface ExchangeRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Uint8Array | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ExchangeResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Ends with an error when the connection breaks or the signal aborts. */
  readonly body: Readable;
}

/** One request, one response, over whichever version of HTTP. */
export interface Exchange {
  send(request: ExchangeRequest): Promise<ExchangeResponse>;
  close(): void;
}

export function createExchange(options: HttpClientOptions): Exchange {
  const url = new URL(options.server);
  if (options.http2 === true && url.protocol === 'https:') return overHttp2(url, options);
  return overHttp1(url, options);
}

/** TLS settings shared by all connections, also the WebSockets that a command opens by itself. */
export function tlsOptions(options: HttpClientOptions): SecureContextOptions & ConnectionOptions {
  return {
    ...trusting(options.ca),
    ...(options.certificate === undefined ? {} : { cert: options.certificate }),
    ...(options.key === undefined ? {} : { key: options.key }),
    ...(options.tlsServerName === undefined ? {} : { servername: options.tlsServerName }),
    rejectUnauthorized: options.insecureSkipTlsVerify !== true,
  };
}

/** Loading `node:http` loads Node's fetch as well: only those wait for it who speak without TLS. */
function nodeHttp(): typeof import('node:http') {
  return process.getBuiltinModule('node:http');
}

function overHttp1(url: URL, options: HttpClientOptions): Exchange {
  const isSecure = url.protocol === 'https:';
  const pool = { keepAlive: true, maxSockets: httpLimits.connections };
  const agent = isSecure ? new https.Agent({ ...pool, ...tlsOptions(options) }) : new (nodeHttp().Agent)(pool);
  const attempt = (
    { method, path, headers, body, signal }: ExchangeRequest,
    { again }: { readonly again: boolean },
  ): Promise<ExchangeResponse> =>
    new Promise((resolve, reject) => {
      const address = { hostname: url.hostname.replace(/^\[|\]$/g, ''), port: url.port };
      const place = { agent, method, path, timeout: httpLimits.connectTimeoutMs, ...address };
      // Node frames a body by itself, but not that of a DELETE.
      const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
      const settings = {
        ...place,
        headers: { ...headers, ...length } as OutgoingHttpHeaders,
        ...(signal ? { signal } : {}),
      };
      const request = isSecure ? https.request(settings) : nodeHttp().request(settings);
      failUnlessConnected(request, isSecure ? 'secureConnect' : 'connect');
      request.once('error', (error) => {
        // The server may close an idle connection in the moment that it is used again.
        const isStale = request.reusedSocket && 'code' in error && error.code === 'ECONNRESET';
        if (again && isStale && idempotent.has(method)) {
          resolve(attempt({ method, path, headers, body, signal }, { again: false }));
        } else reject(signal?.aborted ? signal.reason : error);
      });
      request.once('response', (response) => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: response });
      });
      request.end(body);
    });
  return {
    send: (request) => attempt(request, { again: true }),
    close: () => agent.destroy(),
  };
}

const idempotent = new Set(['GET', 'HEAD', 'PUT', 'DELETE']);

/** Limits how long a connection may take to be made. */
function failUnlessConnected(request: ClientRequest, event: 'connect' | 'secureConnect'): void {
  let connected = false;
  request.once('socket', (socket) => {
    // Delayed acknowledgements and Nagle's algorithm together cost 40 ms a call.
    socket.setNoDelay(true);
    // A connection that is used again says no more that it is there.
    connected = request.reusedSocket;
    if (connected) return;
    socket.once(event, () => {
      connected = true;
    });
  });
  // Emitted for idle connections too: a quiet watch is none of its business.
  request.on('timeout', () => {
    if (!connected) request.destroy(new Error('timed out while connecting'));
  });
}

function overHttp2(url: URL, options: HttpClientOptions): Exchange {
  let session: http2.ClientHttp2Session | undefined;
  const connect = (): http2.ClientHttp2Session => {
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    const fresh = process.getBuiltinModule('node:http2').connect(url.origin, tlsOptions(options));
    // Each stream reports the failure to its caller; the session's own event would end the process.
    fresh.on('error', () => undefined);
    fresh.on('goaway', () => {
      if (session === fresh) session = undefined;
    });
    session = fresh;
    return fresh;
  };
  return {
    send: ({ method, path, headers, body, signal }) =>
      new Promise((resolve, reject) => {
        const stream = connect().request(
          { ...(headers as http2.OutgoingHttpHeaders), ':method': method, ':path': path },
          { endStream: body === undefined, ...(signal ? { signal } : {}) },
        );
        stream.once('error', (error) => reject(signal?.aborted ? signal.reason : error));
        stream.once('response', (answer) => {
          const status = answer[':status'] ?? 0;
          resolve({ status, headers: answer as Record<string, string | string[] | undefined>, body: stream });
        });
        if (body !== undefined) stream.end(body);
      }),
    close: () => session?.close(),
  };
}
