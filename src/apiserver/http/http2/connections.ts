import type { Http2Server, ServerHttp2Session } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { Serve } from '../ending.ts';
import { Http2Request } from './request.ts';
import { Http2Response } from './response.ts';

/** What one HTTP/2 connection may do. */
export interface Http2Limits {
  readonly maxConcurrentStreams: number;
  /** Milliseconds for a whole request, its body included. */
  readonly requestMs: number;
  /** Milliseconds without a request. */
  readonly idleMs: number;
}

const streamWindow = 1024 * 1024;
const sessionWindow = 4 * 1024 * 1024;

/**
 * Speaks HTTP/2 on connections that have agreed on it. Node's module for it is large: it is loaded with the first such
 * connection, or by `prepare` when there is time for it.
 */
export class Http2Connections {
  readonly #limits: Http2Limits;
  readonly #serve: Serve;
  readonly #sessions = new Set<ServerHttp2Session>();
  #server: Http2Server | undefined;

  constructor(limits: Http2Limits, serve: Serve) {
    this.#limits = limits;
    this.#serve = serve;
  }

  prepare(): void {
    this.#server ??= this.#create();
  }

  speak(socket: TLSSocket): void {
    this.#server ??= this.#create();
    this.#server.emit('connection', socket);
  }

  /** Connections end with the requests that are open on them. */
  close(): void {
    for (const session of this.#sessions) session.close();
  }

  #create(): Http2Server {
    const { createServer } = process.getBuiltinModule('node:http2');
    const { maxConcurrentStreams } = this.#limits;
    const server = createServer({ settings: { maxConcurrentStreams, initialWindowSize: streamWindow } });
    // Node's interface that is like HTTP/1.1's costs a fifth of a request.
    server.on('stream', (stream, headers, _flags, rawHeaders) => {
      const response = new Http2Response(stream, { isHead: headers[':method'] === 'HEAD' });
      if (headers.expect === '100-continue') stream.additionalHeaders({ ':status': 100 });
      this.#serve(new Http2Request(stream, headers, rawHeaders), response);
    });
    server.on('session', (session) => {
      this.#sessions.add(session);
      session.once('close', () => this.#sessions.delete(session));
      session.setLocalWindowSize(sessionWindow);
      endWhenIdle(session, this.#limits);
    });
    server.on('sessionError', () => {});
    return server;
  }
}

/** HTTP/2 has no time limits of its own in Node. A quiet watch is an open stream, and may be quiet. */
function endWhenIdle(session: ServerHttp2Session, { idleMs, requestMs }: Http2Limits): void {
  const { constants } = process.getBuiltinModule('node:http2');
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
