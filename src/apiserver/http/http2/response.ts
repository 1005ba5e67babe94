import { EventEmitter } from 'node:events';
import type { OutgoingHttpHeaders } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import { type AnyResponse, appended, type HeaderValue, isWithoutBody, type Written } from '../any-http.ts';

/** The answer to a request over HTTP/2. */
export class Http2Response extends EventEmitter implements AnyResponse {
  statusCode = 200;
  headersSent = false;
  /** HTTP/2 has frames of its own. */
  chunkedEncoding = false;
  earlyHeaders?: OutgoingHttpHeaders;
  sentBytes?: number;
  takesGzip?: boolean;
  readonly #stream: ServerHttp2Stream;
  /** The method is HEAD: only the head is wanted. */
  readonly #isHead: boolean;
  #headers: OutgoingHttpHeaders = {};
  #isHeadOut = false;
  #isEnded = false;

  constructor(stream: ServerHttp2Stream, { isHead }: { readonly isHead: boolean }) {
    super();
    this.#stream = stream;
    this.#isHead = isHead;
    stream.once('close', () => this.emit('close'));
    stream.on('drain', () => this.emit('drain'));
    // It is closed next.
    stream.on('error', () => {});
  }

  get writableFinished(): boolean {
    return this.#stream.writableFinished;
  }

  get destroyed(): boolean {
    return this.#stream.destroyed;
  }

  get writableLength(): number {
    return this.#stream.writableLength;
  }

  setHeader(name: string, value: HeaderValue): this {
    this.#headers[name.toLowerCase()] = value as OutgoingHttpHeaders[string];
    return this;
  }

  appendHeader(name: string, value: string): this {
    return this.setHeader(name, appended(this.getHeader(name), value));
  }

  getHeader(name: string): HeaderValue | undefined {
    return this.#headers[name.toLowerCase()];
  }

  writeHead(status: number, headers: OutgoingHttpHeaders = {}): this {
    this.statusCode = status;
    this.#headers = { ...this.#headers, ...headers };
    this.headersSent = true;
    return this;
  }

  flushHeaders(): void {
    if (this.#isHeadOut || this.destroyed) return;
    this.headersSent = true;
    this.#isHeadOut = true;
    const endStream = this.#isWithoutBody;
    this.#stream.respond({ ':status': this.statusCode, ...this.#headers }, { endStream });
  }

  /** Whether more may be written at once. */
  write(bytes: Uint8Array, written?: Written): boolean {
    if (this.#isEnded || this.destroyed) return false;
    this.flushHeaders();
    if (this.#isWithoutBody) return true;
    return this.#stream.write(bytes, written);
  }

  end(bytes?: Uint8Array | string, written?: Written): void {
    if (this.#isEnded || this.destroyed) return;
    this.#isEnded = true;
    this.flushHeaders();
    if (this.#isWithoutBody) return;
    if (bytes === undefined) this.#stream.end();
    else this.#stream.end(bytes, () => written?.());
  }

  destroy(): this {
    this.#stream.destroy();
    return this;
  }

  get #isWithoutBody(): boolean {
    return this.#isHead || isWithoutBody(this.statusCode);
  }
}
