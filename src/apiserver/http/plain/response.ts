import { EventEmitter } from 'node:events';
import { type OutgoingHttpHeaders, STATUS_CODES } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { type AnyResponse, appended, type HeaderValue, isWithoutBody, type Written } from '../any-http.ts';

/** What is no text of a header: a line's end above all, which would begin another header. */
const badValue = /[^\t\x20-\x7e\x80-\xff]/;
/** Larger bodies are not copied behind their heads. */
const maxCopiedBytes = 64 * 1024;
const lineEnd = '\r\n';

/** What a response needs of its connection. */
export interface PlainExchange {
  readonly socket: TLSSocket;
  /** The time as headers give it. */
  readonly date: () => string;
  /** No further request is wanted on the connection. */
  readonly isLast: () => boolean;
  /** The answer has gone out, and nothing went wrong. */
  readonly answered: (closes: boolean) => void;
}

/** The answer to a request, with the part of the interface of Node's `ServerResponse` that is used here. */
export class PlainResponse extends EventEmitter implements AnyResponse {
  statusCode = 200;
  headersSent = false;
  writableFinished = false;
  chunkedEncoding = false;
  earlyHeaders?: OutgoingHttpHeaders;
  sentBytes?: number;
  takesGzip?: boolean;
  readonly #exchange: PlainExchange;
  #headers: Record<string, HeaderValue> | undefined;
  /** What is to be sent in front of the body. */
  #head = '';
  #isHeadOut = false;
  #hasLength = false;
  #closes = false;
  #isEnded = false;
  #isClosed = false;
  /** Somebody waits for `drain`. */
  #awaitsRoom = false;

  constructor(exchange: PlainExchange) {
    super();
    this.#exchange = exchange;
  }

  get destroyed(): boolean {
    return this.#isClosed ? !this.writableFinished : this.#exchange.socket.destroyed;
  }

  get writableLength(): number {
    return this.#exchange.socket.writableLength;
  }

  /** @throws TypeError for a value that is no text of a header */
  setHeader(name: string, value: HeaderValue): this {
    checkValue(name, value);
    this.#headers ??= {};
    this.#headers[name.toLowerCase()] = value;
    return this;
  }

  /** @throws TypeError as `setHeader` */
  appendHeader(name: string, value: string): this {
    return this.setHeader(name, appended(this.getHeader(name), value));
  }

  getHeader(name: string): HeaderValue | undefined {
    return this.#headers?.[name.toLowerCase()];
  }

  /** @throws TypeError as `setHeader` */
  writeHead(status: number, headers: OutgoingHttpHeaders = {}): this {
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
    const all = this.#headers === undefined ? headers : { ...this.#headers, ...headers };
    for (const name in all) {
      const value = all[name];
      if (value === undefined) continue;
      checkValue(name, value);
      head += headerLines(name, value);
    }
    this.statusCode = status;
    this.#hasLength = all['content-length'] !== undefined || isWithoutBody(status);
    this.#closes = all['connection'] === 'close' || this.#exchange.isLast();
    if (this.#closes && all['connection'] === undefined) head += headerLines('connection', 'close');
    if (all['date'] === undefined) head += headerLines('date', this.#exchange.date());
    this.#head = head;
    this.headersSent = true;
    return this;
  }

  /** The head of an answer whose length is not known goes out before its body. */
  flushHeaders(): void {
    if (this.#isHeadOut) return;
    this.#exchange.socket.write(this.#takeHead(), 'latin1');
  }

  /** Whether more may be written at once. */
  write(bytes: Uint8Array, written?: Written): boolean {
    const { socket } = this.#exchange;
    if (this.#isEnded || this.destroyed) return false;
    socket.cork();
    this.flushHeaders();
    const hasRoom = this.#writeChunk(bytes, written);
    socket.uncork();
    if (!hasRoom && !this.#awaitsRoom) {
      this.#awaitsRoom = true;
      socket.once('drain', this.#onDrain);
    }
    return hasRoom;
  }

  end(bytes: Uint8Array | string = '', written?: Written): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const ended: Written = (error) => {
      written?.(error);
      if (!error) this.#finish();
    };
    const body = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
    if (!this.#isHeadOut) return this.#endWhole(body, ended);
    const { socket } = this.#exchange;
    socket.cork();
    if (body.length > 0) this.#writeChunk(body);
    socket.write(this.chunkedEncoding ? '0\r\n\r\n' : '', 'latin1', ended);
    socket.uncork();
  }

  readonly #onDrain = (): void => {
    this.#awaitsRoom = false;
    if (!this.#isEnded) this.emit('drain');
  };

  destroy(): this {
    this.#exchange.socket.destroy();
    return this;
  }

  /** The connection is gone. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.emit('close');
  }

  #finish(): void {
    if (this.#isClosed) return;
    this.writableFinished = true;
    this.emit('finish');
    this.close();
    this.#exchange.answered(this.#closes);
  }

  /** Head and body at once, in one piece where that is small. */
  #endWhole(body: Uint8Array, ended: Written): void {
    const { socket } = this.#exchange;
    if (!this.headersSent) this.writeHead(this.statusCode);
    if (!this.#hasLength) this.#head += headerLines('content-length', body.length);
    this.#hasLength = true;
    const head = this.#takeHead();
    if (isWithoutBody(this.statusCode)) socket.write(head, 'latin1', ended);
    else if (body.length > maxCopiedBytes) {
      socket.cork();
      socket.write(head, 'latin1');
      socket.write(body, ended);
      socket.uncork();
    } else {
      const whole = Buffer.allocUnsafe(head.length + body.length);
      whole.write(head, 'latin1');
      whole.set(body, head.length);
      socket.write(whole, ended);
    }
  }

  #takeHead(): string {
    if (!this.headersSent) this.writeHead(this.statusCode);
    if (!this.#hasLength) {
      this.chunkedEncoding = true;
      this.#head += headerLines('transfer-encoding', 'chunked');
    }
    const head = this.#head + lineEnd;
    this.#head = '';
    this.#isHeadOut = true;
    return head;
  }

  #writeChunk(bytes: Uint8Array, written?: Written): boolean {
    const { socket } = this.#exchange;
    if (!this.chunkedEncoding) return socket.write(bytes, written);
    socket.write(`${bytes.length.toString(16)}\r\n`, 'latin1');
    socket.write(bytes);
    return socket.write(lineEnd, 'latin1', written);
  }
}

function headerLines(name: string, value: HeaderValue): string {
  if (typeof value === 'string' || typeof value === 'number') return `${name}: ${value}\r\n`;
  return value.map((one) => `${name}: ${one}\r\n`).join('');
}

function checkValue(name: string, value: HeaderValue): void {
  if (
    typeof value === 'string' ? badValue.test(value) : Array.isArray(value) && value.some((one) => badValue.test(one))
  )
    throw new TypeError(`the value of the header ${name} is no text of a header`);
}
