import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';

/** Nobody is at the other end any more. */
const gone = {} as TLSSocket;

/** A request over HTTP/2, whose body comes through its stream. */
export class Http2Request {
  readonly method: string;
  readonly url: string;
  /** By lower-case name, with those that begin with a colon; what the server notes of a request is added here. */
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly httpVersion = '2.0';
  readonly httpVersionMajor = 2;
  readonly stream: ServerHttp2Stream;
  /** Stands for the connection, also when that is gone. */
  readonly session: ServerHttp2Session;

  /** @param rawHeaders names and values in turn */
  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]) {
    this.stream = stream;
    // Every stream begins with one.
    this.session = stream.session as ServerHttp2Session;
    this.headers = headers;
    this.rawHeaders = rawHeaders;
    this.method = headers[':method'] ?? 'GET';
    this.url = headers[':path'] ?? '/';
  }

  get socket(): TLSSocket {
    return this.session.destroyed ? gone : (this.session.socket as TLSSocket);
  }
}
