import type { IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { DEFAULT_CIPHERS, type SecureContextOptions, type TLSSocket } from 'node:tls';
import { passed, sleep, systemClock } from '#base/clock.ts';
import type { Log } from '#base/log.ts';
import { trusting } from '#client/http/trust.ts';
import type { ApiServer } from '../server.ts';
import type { AnyResponse } from './any-http.ts';
import type { BrowserFilter } from './browsers.ts';
import { defaultRequestTimeoutMs, RequestDeadlines } from './deadlines.ts';
import { Ending, type Serve, spreading } from './ending.ts';
import { handle, type Routes } from './handler.ts';
import { Http2Connections } from './http2/connections.ts';
import type { ServerMetrics } from './metrics.ts';
import { certificateByName, type NamedCertificate } from './named-certificates.ts';
import { PlainConnections } from './plain/connections.ts';

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
/** How long requests may go on when the server ends, and how often it is looked whether they do. */
const drainLimitMs = 5_000;
const drainPauseMs = 20;

export interface ServingCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** The platform's ciphers; of two that are as good as each other first the one that costs less, as Go has it. */
function preferredCiphers(): string {
  const first = 'TLS_AES_128_GCM_SHA256';
  return [first, ...DEFAULT_CIPHERS.split(':').filter((cipher) => cipher !== first)].join(':');
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
  /** While the server ends, requests on open connections are told to come again, elsewhere; absent: served. */
  readonly sendsRetryAfter?: boolean;
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
  /** Of how many requests over HTTP/2 the connection is given up, so that clients spread over servers; absent: none. */
  readonly goawayChance?: number;
  /** HTTP/1.1 alone. */
  readonly withoutHttp2?: boolean;
}

/** The server's door: HTTPS over HTTP/1.1 and HTTP/2. */
export class HttpFront {
  readonly #server: Server;
  readonly #http2: Http2Connections;
  readonly #plain: PlainConnections;
  readonly #connections: Connections;
  readonly #ending: Ending;
  readonly #api: ApiServer;
  readonly #secure: SecureContextOptions;

  private constructor(
    api: ApiServer,
    parts: {
      readonly http: Server;
      readonly http2: Http2Connections;
      readonly plain: PlainConnections;
      readonly connections: Connections;
      readonly ending: Ending;
    },
    secure: SecureContextOptions,
  ) {
    this.#api = api;
    this.#server = parts.http;
    this.#http2 = parts.http2;
    this.#plain = parts.plain;
    this.#connections = parts.connections;
    this.#ending = parts.ending;
    this.#secure = secure;
  }

  /** Resolves when the port is open. Rejects with Node's error (`EADDRINUSE`, `EACCES`). */
  static async listen(options: HttpFrontOptions): Promise<HttpFront> {
    const { serving, clientCa, limits = defaultLimits, protocol = {} } = options;
    const { minTlsVersion = 'TLSv1.2', ciphers, maxConcurrentStreams = defaultStreams } = protocol;
    const secure: SecureContextOptions = {
      minVersion: minTlsVersion,
      ciphers: ciphers === undefined ? preferredCiphers() : ciphers.join(':'),
    };
    const http = createServer({
      ALPNProtocols: protocol.withoutHttp2 === true ? ['http/1.1'] : ['h2', 'http/1.1'],
      requestCert: true,
      rejectUnauthorized: false,
      ...trusting(clientCa),
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
    const serve: Serve = (request, response) => {
      if (browsers?.(request, response) !== true) void handle(handling, request, response);
    };
    const traced: typeof serve =
      tracer === undefined ? serve : (request, response) => tracer.inRequest(() => serve(request, response));
    const ending = new Ending(options.sendsRetryAfter === true);
    const answer = ending.around(spreading(traced, protocol.goawayChance ?? 0, environment.random));
    http.on('request', (request, response) => answer(request, response as unknown as AnyResponse));
    const connections = new Connections();
    http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      connections.add(socket, connections.upgraded);
      options.upgrade(request, socket, head);
    });
    http.on('connection', (socket: Socket) => {
      connections.add(socket);
      socket.setKeepAlive(true, keepAliveProbeMs);
      socket.setNoDelay(true);
    });
    const http2 = new Http2Connections({ maxConcurrentStreams, ...limits }, answer);
    const nodes = nodesListener(http);
    const plain = new PlainConnections({ clock: systemClock(), limits }, answer, nodes);
    http.on('secureConnection', (socket: TLSSocket) => {
      if (socket.alpnProtocol === 'h2') http2.speak(socket);
      else plain.speak(socket);
    });
    http.on('tlsClientError', () => options.metrics.handshakeFailed());
    await new Promise<void>((resolve, reject) => {
      http.once('error', reject);
      http.listen({ port: options.port, host: options.host }, resolve);
    });
    return new HttpFront(options.server, { http, http2, plain, connections, ending }, secure);
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
    this.#server.setSecureContext({ ...this.#secure, cert: certificate, key, ...trusting(clientCa) });
  }

  /**
   * Takes no more connections. Watches end as if their time were up, so that their clients go on elsewhere; other
   * requests have a while to end, and what is left then is cut off.
   */
  async close(): Promise<void> {
    const { environment } = this.#api;
    const drainedMs = environment.clock.monotonic() + drainLimitMs;
    this.#ending.begin();
    while (this.#ending.waits && environment.clock.monotonic() < drainedMs) {
      this.#api.endWatches();
      await sleep(environment.clock, drainPauseMs);
    }
    const closed = Promise.withResolvers<void>();
    const ended = new AbortController();
    this.#server.close(() => {
      ended.abort();
      closed.resolve();
    });
    // Nobody knows when a terminal or a forwarded port is done.
    for (const socket of this.#connections.upgraded) socket.destroy();
    const endMs = environment.clock.monotonic() + drainLimitMs;
    do {
      this.#api.endWatches();
      this.#http2.close();
      this.#plain.close();
      this.#server.closeIdleConnections();
    } while (environment.clock.monotonic() < endMs && (await passed(environment.clock, drainPauseMs, ended.signal)));
    for (const socket of this.#connections.all) socket.destroy();
    await closed.promise;
  }
}

/** Sockets that are open. */
class Connections {
  readonly all = new Set<Duplex>();
  /** Those that speak HTTP no more. */
  readonly upgraded = new Set<Duplex>();

  add(socket: Duplex, to: Set<Duplex> = this.all): void {
    to.add(socket);
    socket.once('close', () => to.delete(socket));
  }
}

/** Takes over what Node would do with new connections. @returns that */
function nodesListener(server: Server): (socket: TLSSocket) => void {
  const listeners = server.listeners('secureConnection');
  server.removeAllListeners('secureConnection');
  return (socket) => {
    for (const listener of listeners) listener.call(server, socket);
  };
}
