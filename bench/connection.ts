import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import type { Access } from '#testing/access.ts';

export interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

/** What is kept of a body's length: a number of bytes, or that it comes in chunks. */
interface Head {
  readonly status: number;
  readonly end: number;
  readonly length: number | 'chunked';
}

const headEnd = Buffer.from('\r\n\r\n');

/**
 * One TLS connection that speaks just enough HTTP/1.1 to ask and to read the answer. The client shares the machine with
 * the servers that it measures: every microsecond that it does not spend is theirs.
 */
export class Connection {
  readonly #socket: TLSSocket;
  #parts: Buffer[] = [];
  #size = 0;
  /** The last bytes that came. */
  #end = Buffer.alloc(0);
  #head: Head | undefined;
  #waiting: PromiseWithResolvers<Answer> | undefined;

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (part: Buffer) => this.#take(part));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the server closed the connection')));
  }

  static async open({ host, port, ca, cert, key }: Access): Promise<Connection> {
    const socket = connect({ host, port, ca, cert, key, ALPNProtocols: ['http/1.1'] });
    await once(socket, 'secureConnect');
    return new Connection(socket);
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  /** One request at a time. */
  ask(request: string | Uint8Array): Promise<Answer> {
    this.#waiting = Promise.withResolvers();
    this.#socket.write(request);
    return this.#waiting.promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(part: Buffer): void {
    this.#parts.push(part);
    this.#size += part.length;
    this.#head ??= readHead(this.#whole());
    const head = this.#head;
    if (head === undefined) return;
    if (head.length === 'chunked') {
      // The last chunk may come in pieces.
      this.#end = Buffer.concat([this.#end, part.subarray(-lastChunk.length)]).subarray(-lastChunk.length);
      if (!this.#end.equals(lastChunk)) return;
    } else if (this.#size < head.end + head.length) return;
    const body = this.#whole().subarray(head.end);
    this.#parts = [];
    this.#size = 0;
    this.#head = undefined;
    this.#waiting?.resolve({ status: head.status, body: head.length === 'chunked' ? unchunked(body) : body });
    this.#waiting = undefined;
  }

  #whole(): Buffer {
    if (this.#parts.length > 1) this.#parts = [Buffer.concat(this.#parts)];
    return this.#parts[0]!;
  }

  #fail(error: Error): void {
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}

function readHead(bytes: Buffer): Head | undefined {
  const at = bytes.indexOf(headEnd);
  if (at < 0) return undefined;
  const text = bytes.toString('latin1', 0, at);
  const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
  return { status: Number(text.slice(9, 12)), end: at + headEnd.length, length: length ? Number(length) : 'chunked' };
}

const lastChunk = Buffer.from('0\r\n\r\n');

function unchunked(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const line = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16);
    if (!(size > 0)) break;
    parts.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
  return Buffer.concat(parts);
}
