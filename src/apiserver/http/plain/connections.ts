import type { TLSSocket } from 'node:tls';
import type { Clock, Timer } from '#base/clock.ts';
import { type Phase, PlainConnection, type PlainServing } from './connection.ts';

/** How long a client may take, in milliseconds. */
export interface PlainLimits {
  /** For its first request on a connection. */
  readonly headersMs: number;
  /** For the body of a request. */
  readonly requestMs: number;
  /** Without a request on the connection. */
  readonly idleMs: number;
}

/**
 * Connections that speak HTTP/1.1. Requests of the usual form (`head.ts`) are read here, which takes a third less time
 * than Node's way through streams; with the first that is not, the connection goes over to Node.
 */
export class PlainConnections {
  readonly #clock: Clock;
  readonly #limits: PlainLimits;
  readonly #serving: PlainServing;
  readonly #handOver: (socket: TLSSocket) => void;
  readonly #open = new Map<TLSSocket, PlainConnection>();
  #timer: Timer | undefined;
  #isClosing = false;
  #second = -1;
  #date = '';

  /**
   * @param clock real time, in which clients live, also when the cluster’s is virtual
   * @param handOver what Node does with a connection
   */
  constructor(
    { clock, limits }: { readonly clock: Clock; readonly limits: PlainLimits },
    serve: PlainServing['serve'],
    handOver: (socket: TLSSocket) => void,
  ) {
    this.#clock = clock;
    this.#limits = limits;
    this.#handOver = handOver;
    this.#serving = {
      serve,
      handOver: (socket, bytes) => this.#giveUp(socket, bytes),
      date: () => this.#now(),
      monotonic: () => clock.monotonic(),
      isClosing: () => this.#isClosing,
    };
  }

  speak(socket: TLSSocket): void {
    this.#open.set(socket, new PlainConnection(socket, this.#serving));
    socket.once('close', () => this.#forget(socket));
    this.#timer ??= this.#clock.schedule(this.#limits.headersMs / 2, () => this.#look());
  }

  /** Connections end with the requests that are open on them. */
  close(): void {
    this.#isClosing = true;
    for (const connection of this.#open.values()) connection.endIfIdle();
  }

  #giveUp(socket: TLSSocket, bytes: Buffer): void {
    this.#forget(socket);
    socket.pause();
    socket.unshift(bytes);
    this.#handOver(socket);
    socket.resume();
  }

  #forget(socket: TLSSocket): void {
    this.#open.delete(socket);
    if (this.#open.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Ends what has taken too long. */
  #look(): void {
    this.#timer = undefined;
    const { headersMs, requestMs, idleMs } = this.#limits;
    const limits: Readonly<Record<Phase, number>> = {
      new: headersMs,
      receiving: requestMs,
      idle: idleMs,
      answering: Number.POSITIVE_INFINITY,
    };
    const now = this.#clock.monotonic();
    for (const [socket, { phase, sinceMs }] of this.#open) if (now - sinceMs > limits[phase]) socket.destroy();
    if (this.#open.size > 0) this.#timer = this.#clock.schedule(headersMs / 2, () => this.#look());
  }

  #now(): string {
    const ms = this.#clock.now();
    const second = Math.floor(ms / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#date = new Date(ms).toUTCString();
    }
    return this.#date;
  }
}
