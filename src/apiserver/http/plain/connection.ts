import type { TLSSocket } from 'node:tls';
import { HeadReader, type PlainHead } from './head.ts';
import { PlainRequest } from './request.ts';
import { PlainResponse } from './response.ts';

/** Larger bodies are Node's to read: it stops reading until somebody wants the rest. */
const maxBodyBytes = 64 * 1024;
const nothing = new Uint8Array(0);

/** What a connection needs of the server. */
export interface PlainServing {
  readonly serve: (request: PlainRequest, response: PlainResponse) => void;
  /** The connection goes on as Node's, which reads these bytes first. */
  readonly handOver: (socket: TLSSocket, bytes: Buffer) => void;
  /** The time as headers give it. */
  readonly date: () => string;
  /** Milliseconds that never go backwards. */
  readonly monotonic: () => number;
  /** The server takes no more requests. */
  readonly isClosing: () => boolean;
}

/** What a connection is doing. */
export type Phase = 'new' | 'idle' | 'receiving' | 'answering';

/** One connection that speaks HTTP/1.1: requests of the usual form one after the other, until one comes that is not. */
export class PlainConnection {
  readonly socket: TLSSocket;
  readonly #serving: PlainServing;
  readonly #heads = new HeadReader();
  /** What came before the answer to what was asked first. */
  #early: Buffer | undefined;
  /** A request of whose body a part is missing. */
  #receiving: { readonly head: PlainHead; readonly body: Buffer; filled: number } | undefined;
  #response: PlainResponse | undefined;
  #phase: Phase = 'new';
  /** Monotonic milliseconds of the beginning of this phase. */
  #sinceMs: number;

  constructor(socket: TLSSocket, serving: PlainServing) {
    this.socket = socket;
    this.#serving = serving;
    this.#sinceMs = serving.monotonic();
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onClose);
    socket.on('error', ignore);
  }

  get phase(): Phase {
    return this.#phase;
  }

  get sinceMs(): number {
    return this.#sinceMs;
  }

  /** Ends a connection on which nothing is under way. */
  endIfIdle(): void {
    if (this.#phase === 'new' || this.#phase === 'idle') this.socket.end();
  }

  readonly #onData = (bytes: Buffer): void => {
    if (this.#response !== undefined) {
      this.#early = this.#early === undefined ? bytes : Buffer.concat([this.#early, bytes]);
      this.socket.pause();
    } else if (this.#receiving !== undefined) this.#takeBody(bytes);
    else this.#takeHead(bytes);
  };

  readonly #onEnd = (): void => void this.socket.end();

  readonly #onClose = (): void => {
    this.#receiving = undefined;
    this.#early = undefined;
    this.#response?.close();
  };

  #takeHead(bytes: Buffer): void {
    const head = this.#heads.read(bytes);
    if (head === undefined || head.length > maxBodyBytes) return this.#leave(bytes);
    const { end, length } = head;
    if (length === 0) return this.#answer(head, nothing, bytes.subarray(end));
    if (bytes.length >= end + length)
      return this.#answer(head, bytes.subarray(end, end + length), bytes.subarray(end + length));
    this.#receiving = { head, body: Buffer.allocUnsafe(length), filled: 0 };
    this.#enter('receiving');
    this.#takeBody(bytes.subarray(end));
  }

  #takeBody(bytes: Buffer): void {
    const receiving = this.#receiving!;
    const { head, body } = receiving;
    const taken = bytes.copy(body, receiving.filled);
    receiving.filled += taken;
    if (receiving.filled < body.length) return;
    this.#receiving = undefined;
    this.#answer(head, body, bytes.subarray(taken));
  }

  #answer(head: PlainHead, body: Uint8Array, rest: Buffer): void {
    if (rest.length > 0) this.#early = rest;
    this.#enter('answering');
    const { socket } = this;
    const { date, isClosing } = this.#serving;
    const response = new PlainResponse({ socket, date, isLast: isClosing, answered: this.#answered });
    this.#response = response;
    this.#serving.serve(new PlainRequest(head, socket, body), response);
  }

  readonly #answered = (closes: boolean): void => {
    this.#response = undefined;
    this.#enter('idle');
    if (closes) return void this.socket.end();
    const early = this.#early;
    if (early === undefined) return;
    this.#early = undefined;
    this.socket.resume();
    this.#takeHead(early);
  };

  #leave(bytes: Buffer): void {
    const { socket } = this;
    socket.off('data', this.#onData);
    socket.off('end', this.#onEnd);
    socket.off('close', this.#onClose);
    socket.off('error', ignore);
    this.#serving.handOver(socket, bytes);
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#sinceMs = this.#serving.monotonic();
  }
}

/** Whatever went wrong, the connection is closed next. */
function ignore(): void {}
