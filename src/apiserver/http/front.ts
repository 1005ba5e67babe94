import type { IncomingMessage, ServerResponse } from 'node:http';
import { createSecureServer, type Http2SecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Log } from '#base/log.ts';
import type { ApiServer } from '../server.ts';
import { handle, type Routes } from './handler.ts';
import type { ServerMetrics } from './metrics.ts';

/** Seconds of silence after which half-open connections are found out. */
const keepAliveProbeMs = 30_000;
/** A client gets this long to send its headers, and this long for its whole request. */
const headersTimeoutMs = 30_000;
const requestTimeoutMs = 120_000;
/** Streams that one HTTP/2 connection may have open, as upstream. */
const maxConcurrentStreams = 250;

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
  /** CA whose client certificates are believed, in PEM. */
  readonly clientCa: string;
  readonly host: string;
  readonly port: number;
  readonly log: Log;
}

/** The server's door: HTTPS over HTTP/1.1 and HTTP/2. */
export class HttpFront {
  readonly #server: Http2SecureServer;

  private constructor(server: Http2SecureServer) {
    this.#server = server;
  }

  /** Resolves when the port is open. Rejects with Node's error (`EADDRINUSE`, `EACCES`). */
  static async listen(options: HttpFrontOptions): Promise<HttpFront> {
    const { serving, clientCa } = options;
    const http = createSecureServer({
      allowHTTP1: true,
      requestCert: true,
      rejectUnauthorized: false,
      ca: clientCa,
      cert: serving.certificate,
      key: serving.key,
      minVersion: 'TLSv1.2',
      settings: { maxConcurrentStreams, initialWindowSize: 1024 * 1024 },
    });
    const limits = http as unknown as { headersTimeout: number; requestTimeout: number; keepAliveTimeout: number };
    limits.headersTimeout = headersTimeoutMs;
    limits.requestTimeout = requestTimeoutMs;
    http.on('request', (request, response) => void handle(options, request, response as unknown as ServerResponse));
    http.on('upgrade', options.upgrade as never);
    http.on('connection', (socket) => {
      socket.setKeepAlive(true, keepAliveProbeMs);
      socket.setNoDelay(true);
    });
    http.on('session', (session) => session.setLocalWindowSize(4 * 1024 * 1024));
    http.on('sessionError', () => {});
    http.on('tlsClientError', () => {});
    await new Promise<void>((resolve, reject) => {
      http.once('error', reject);
      http.listen({ port: options.port, host: options.host }, resolve);
    });
    return new HttpFront(http);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Renewed certificates take effect for new connections. */
  useCertificate({ certificate, key }: ServingCertificate, clientCa: string): void {
    this.#server.setSecureContext({ cert: certificate, key, ca: clientCa, minVersion: 'TLSv1.2' });
  }

  /** Takes no more connections; those that are open end with their requests, or when `force` is called. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      (this.#server as unknown as { closeAllConnections?: () => void }).closeAllConnections?.();
    });
  }
}
