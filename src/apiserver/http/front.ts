import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import type { Log } from '#base/log.ts';
import type { ApiServer } from '../server.ts';
import type { BrowserFilter } from './browsers.ts';
import { defaultRequestTimeoutMs, RequestDeadlines } from './deadlines.ts';
import { handle, type Routes } from './handler.ts';
import { Http2Connections } from './http2.ts';
import type { ServerMetrics } from './metrics.ts';
import { certificateByName, type NamedCertificate } from './named-certificates.ts';

/** Seconds of silence after which half-open connections are found out. */
const keepAliveProbeMs = 30_000;
/** How long clients may take, in milliseconds. */
export interface FrontLimits {
  readonly handshakeMs: number;
  readonly headersMs: number;
  /** For the whole request, its body included. */
  readonly requestMs: number;
  /** Without a request on the connection. */
  readonly idleMs: number;
}

const defaultLimits: FrontLimits = { handshakeMs: 10_000, headersMs: 30_000, requestMs: 120_000, idleMs: 90_000 };
const defaultStreams = 250;

export interface ServingCertificate {
  readonly certificate: string;
  readonly key: string;
}

export interface HttpFrontOptions {
  readonly server: ApiServer;
  readonly routes: Routes;
  readonly metrics: ServerMetrics;
  /** Serves WebSocket and SPDY requests; owns the socket from then on. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  readonly serving: ServingCertificate;
  /** Certificates for clients that name one of these hosts; all others get `serving`. */
  readonly named?: readonly NamedCertificate[];
  /** Absent: browsers are treated as everybody. */
  readonly browsers?: BrowserFilter | undefined;
  /** CAs whose client certificates are looked at, in PEM. */
  readonly clientCa: string | readonly string[];
  readonly host: string;
  readonly port: number;
  readonly limits?: FrontLimits;
  readonly protocol?: ProtocolOptions;
  /** How long a request may take that is no stream; a minute unless set. */
  readonly requestTimeoutMs?: number;
  readonly log: Log;
}

/** What clients may speak. */
export interface ProtocolOptions {
  /** TLS 1.2 unless set. */
  readonly minTlsVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** OpenSSL's names of what TLS 1.2 may use, the best first. */
  readonly ciphers?: readonly string[];
  /** Streams that one HTTP/2 connection may have open; 250 unless set, as upstream. */
  readonly maxConcurrentStreams?: number;
  /** HTTP/1.1 alone. */
  readonly withoutHttp2?: boolean;
}

/** The server's door: HTTPS over HTTP/1.1 and HTTP/2. */
export class HttpFront {
  readonly #server: Server;
  readonly #http2: Http2Connections;
  readonly #secure: SecureContextOptions;

  private constructor(server: Server, http2: Http2Connections, secure: SecureContextOptions) {
    this.#server = server;
    this.#http2 = http2;
    this.#secure = secure;
  }

  /** Resolves when the port is open. Rejects with Node's error (`EADDRINUSE`, `EACCES`). */
  static async listen(options: HttpFrontOptions): Promise<HttpFront> {
    const { serving, clientCa, limits = defaultLimits, protocol = {} } = options;
    const { minTlsVersion = 'TLSv1.2', ciphers, maxConcurrentStreams = defaultStreams } = protocol;
    const secure: SecureContextOptions = {
      minVersion: minTlsVersion,
      ...(ciphers === undefined ? {} : { ciphers: ciphers.join(':') }),
    };
    const http = createServer({
      ALPNProtocols: protocol.withoutHttp2 === true ? ['http/1.1'] : ['h2', 'http/1.1'],
      requestCert: true,
      rejectUnauthorized: false,
      ca: [clientCa].flat(),
      cert: serving.certificate,
      key: serving.key,
      ...secure,
      ...(options.named === undefined ? {} : { SNICallback: certificateByName(options.named, clientCa, secure) }),
      handshakeTimeout: limits.handshakeMs,
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      connectionsCheckingInterval: limits.headersMs / 2,
    });
    const { tracer, environment } = options.server;
    const deadlines = new RequestDeadlines(environment.clock, options.requestTimeoutMs ?? defaultRequestTimeoutMs);
    const handling = { ...options, deadlines };
    const { browsers } = options;
    const serve = (request: IncomingMessage | Http2ServerRequest, response: unknown): void => {
      if (browsers?.(request, response as ServerResponse) !== true)
        void handle(handling, request, response as ServerResponse);
    };
    const answer: typeof serve =
      tracer === undefined ? serve : (request, response) => tracer.inRequest(() => serve(request, response));
    http.on('request', answer);
    http.on('upgrade', options.upgrade as never);
    http.on('connection', (socket: Socket) => {
      socket.setKeepAlive(true, keepAliveProbeMs);
      socket.setNoDelay(true);
    });
    const http2 = new Http2Connections({ maxConcurrentStreams, ...limits }, answer);
    takeHttp2(http, http2);
    http.on('tlsClientError', () => options.metrics.handshakeFailed());
    await new Promise<void>((resolve, reject) => {
      http.once('error', reject);
      http.listen({ port: options.port, host: options.host }, resolve);
    });
    return new HttpFront(http, http2, secure);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Loads what the first client may need, now that nobody waits. */
  prepare(): void {
    this.#http2.prepare();
  }

  /** Renewed certificates take effect for new connections. */
  useCertificate({ certificate, key }: ServingCertificate, clientCa: string | readonly string[]): void {
    this.#server.setSecureContext({ ...this.#secure, cert: certificate, key, ca: [clientCa].flat() });
  }

  /** Takes no more connections; those that are open end with their requests, or when `force` is called. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
      this.#http2.close();
    });
  }
}

/** Connections on which HTTP/2 was agreed go there, the others to Node's own listener. */
function takeHttp2(server: Server, http2: Http2Connections): void {
  const listeners = server.listeners('secureConnection');
  server.removeAllListeners('secureConnection');
  server.on('secureConnection', (socket: TLSSocket) => {
    if (socket.alpnProtocol === 'h2') http2.speak(socket);
    else for (const listener of listeners) listener.call(server, socket);
  });
}
