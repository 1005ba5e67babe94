import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  constants,
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type ServerHttp2Session,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions } from 'node:tls';
import type { Log } from '#base/log.ts';
import type { ApiServer } from '../server.ts';
import type { BrowserFilter } from './browsers.ts';
import { defaultRequestTimeoutMs, RequestDeadlines } from './deadlines.ts';
import { handle, type Routes } from './handler.ts';
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

/** HTTP/2 has no time limits of its own in Node. A quiet watch is an open stream, and may be quiet. */
function endWhenIdle(session: ServerHttp2Session, { idleMs, requestMs }: FrontLimits): void {
  let open = 0;
  session.on('stream', (stream) => {
    open++;
    stream.once('close', () => open--);
    if (stream.endAfterHeaders) return;
    stream.setTimeout(requestMs, () => stream.close(constants.NGHTTP2_CANCEL));
    stream.once('end', () => stream.setTimeout(0));
  });
  session.setTimeout(idleMs, () => {
    if (open === 0) session.close();
  });
}

/** The server's door: HTTPS over HTTP/1.1 and HTTP/2. */
export class HttpFront {
  readonly #server: Http2SecureServer;
  readonly #secure: SecureContextOptions;

  private constructor(server: Http2SecureServer, secure: SecureContextOptions) {
    this.#server = server;
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
    const http = createSecureServer({
      allowHTTP1: true,
      requestCert: true,
      rejectUnauthorized: false,
      ca: [clientCa].flat(),
      cert: serving.certificate,
      key: serving.key,
      ...secure,
      ...(options.named === undefined ? {} : { SNICallback: certificateByName(options.named, clientCa, secure) }),
      ...(protocol.withoutHttp2 === true ? { ALPNProtocols: ['http/1.1'] } : {}),
      handshakeTimeout: limits.handshakeMs,
      settings: { maxConcurrentStreams, initialWindowSize: 1024 * 1024 },
    });
    // Node's types forget that the server speaks HTTP/1.1, too.
    Object.assign(http, {
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
    http.on(
      'request',
      tracer === undefined ? serve : (request, response) => tracer.inRequest(() => serve(request, response)),
    );
    http.on('upgrade', options.upgrade as never);
    http.on('connection', (socket) => {
      socket.setKeepAlive(true, keepAliveProbeMs);
      socket.setNoDelay(true);
    });
    http.on('session', (session) => {
      session.setLocalWindowSize(4 * 1024 * 1024);
      endWhenIdle(session, limits);
    });
    http.on('sessionError', () => {});
    http.on('tlsClientError', () => options.metrics.handshakeFailed());
    await new Promise<void>((resolve, reject) => {
      http.once('error', reject);
      http.listen({ port: options.port, host: options.host }, resolve);
    });
    return new HttpFront(http, secure);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Renewed certificates take effect for new connections. */
  useCertificate({ certificate, key }: ServingCertificate, clientCa: string | readonly string[]): void {
    this.#server.setSecureContext({ ...this.#secure, cert: certificate, key, ca: [clientCa].flat() });
  }

  /** Takes no more connections; those that are open end with their requests, or when `force` is called. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      (this.#server as unknown as { closeAllConnections?: () => void }).closeAllConnections?.();
    });
  }
}
