import type { Duplex } from 'node:stream';
import { ByteQueue, StreamCutError } from '../byte-queue.ts';
import { readAll, writeAll } from '../duplex.ts';
import {
  encodeGoAway,
  encodePing,
  encodeRstStream,
  encodeSettings,
  encodeSynReply,
  encodeSynStream,
  encodeWindowUpdate,
  type Frame,
  FrameReader,
  initialWindowSizeSetting,
  resetStatus,
} from './frames.ts';
import { HeaderDecoder, HeaderEncoder, type SpdyHeaders } from './headers.ts';
import { SpdyStream } from './stream.ts';

/** What a stream holds unread before its sender has to wait. */
export const streamWindowBytes = 256 * 1024;
/** Streams that a peer may have open at a time; a port-forward client opens two per TCP connection. */
const maxOpenStreams = 2000;

const connectionStreamId = 0;
const maxWindow = 0x7fffffff;

export interface SpdyConnectionOptions {
  readonly role: 'client' | 'server';
  /** Bytes that were read past the HTTP upgrade. */
  readonly head?: Uint8Array;
  /** A stream that the peer opened. It is accepted when this returns, unless it has been destroyed by then. */
  readonly onStream?: (stream: SpdyStream) => void;
}

/**
 * One SPDY/3.1 connection over any duplex.
 *
 * Flow control: the libraries that Kubernetes' own programs use neither send nor keep windows, so a window is kept
 * only towards a peer that announced one in SETTINGS, as this class does. Towards the others the transport's
 * back-pressure is all there is: a stream whose reader is slow holds up the whole connection.
 */
export class SpdyConnection {
  /** Settles when the connection is gone, for whatever reason; never rejects. */
  readonly closed: Promise<void>;
  readonly #duplex: Duplex;
  readonly #onStream: (stream: SpdyStream) => void;
  readonly #streams = new Map<number, SpdyStream>();
  readonly #encoder = new HeaderEncoder();
  readonly #decoder = new HeaderDecoder();
  readonly #pings = new Map<number, () => void>();
  #nextStreamId: number;
  #nextPingId: number;
  #lastPeerStreamId = 0;
  /** The window that the peer grants a new stream; undefined when it keeps none. */
  #peerWindow: number | undefined;
  #state: 'open' | 'closing' | 'closed' = 'open';

  constructor(duplex: Duplex, options: SpdyConnectionOptions) {
    this.#duplex = duplex;
    this.#onStream = options.onStream ?? ((stream) => stream.destroy());
    this.#nextStreamId = options.role === 'client' ? 1 : 2;
    this.#nextPingId = this.#nextStreamId;
    duplex.on('error', () => {});
    this.#send(encodeSettings(new Map([[initialWindowSizeSetting, streamWindowBytes]])));
    this.#send(encodeWindowUpdate(connectionStreamId, maxWindow - 64 * 1024));
    this.closed = this.#run(options.head ?? new Uint8Array(0));
  }

  /** Opens a stream and waits until the peer has accepted it. Throws StreamCutError when it does not. */
  async open(headers: SpdyHeaders): Promise<SpdyStream> {
    if (this.#state !== 'open') throw new StreamCutError('connection closed');
    const id = this.#nextStreamId;
    this.#nextStreamId += 2;
    const stream = this.#add(id, headers);
    this.#send(encodeSynStream(id, this.#encoder.encode(headers)));
    await stream.accepted;
    return stream;
  }

  /** Resolves when the peer has answered: it has then handled everything that was sent before. */
  ping(): Promise<void> {
    if (this.#state !== 'open') return Promise.reject(new StreamCutError('connection closed'));
    const id = this.#nextPingId;
    this.#nextPingId = (id + 2) % 0x7ffffffe;
    this.#send(encodePing(id));
    return new Promise((resolve, reject) => {
      this.#pings.set(id, resolve);
      void this.closed.then(() => reject(new StreamCutError('connection closed')));
    });
  }

  /** Says goodbye after what has been written, and closes. Peers stop reading at the goodbye. */
  close(): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#send(encodeGoAway(this.#lastPeerStreamId));
    this.#duplex.end();
  }

  destroy(): void {
    this.#duplex.destroy();
  }

  async #run(head: Uint8Array): Promise<void> {
    const reader = new FrameReader();
    try {
      for await (const chunk of readAll(this.#duplex, head)) {
        for (const frame of reader.read(chunk)) await this.#handle(frame);
      }
    } catch {
      // A peer that breaks the protocol is cut off like one that vanished.
      this.#duplex.destroy();
    }
    this.#state = 'closed';
    for (const stream of this.#streams.values()) stream.cut(new StreamCutError('connection closed'));
    this.#streams.clear();
    this.#decoder.close();
    this.#duplex.end();
  }

  async #handle(frame: Frame): Promise<void> {
    switch (frame.type) {
      case 'data':
        await this.#handleData(frame);
        return;
      case 'synStream':
        this.#handleOpen(frame.streamId, frame.fin, await this.#decoder.decode(frame.block));
        return;
      case 'synReply': {
        await this.#decoder.decode(frame.block);
        const stream = this.#streams.get(frame.streamId);
        stream?.accept();
        if (frame.fin) stream?.finishReading();
        return;
      }
      case 'headers':
        // Kubernetes sends none, but the block belongs to the connection's compression.
        await this.#decoder.decode(frame.block);
        if (frame.fin) this.#streams.get(frame.streamId)?.finishReading();
        return;
      case 'rstStream':
        this.#streams.get(frame.streamId)?.cut(new StreamCutError('stream reset by the peer'));
        return;
      case 'settings':
        this.#handleSettings(frame.values);
        return;
      case 'ping':
        this.#handlePing(frame.id);
        return;
      case 'windowUpdate':
        this.#streams.get(frame.streamId)?.grow(frame.delta);
        return;
      case 'goAway':
      case 'unknown':
        // After a goodbye the peer closes the transport, and that is what ends us.
        return;
    }
  }

  async #handleData(frame: Frame & { readonly type: 'data' }): Promise<void> {
    const stream = this.#streams.get(frame.streamId);
    if (stream === undefined) return;
    const caughtUp = stream.receive(frame.bytes);
    if (frame.fin) stream.finishReading();
    await caughtUp;
  }

  #handleOpen(id: number, fin: boolean, headers: SpdyHeaders): void {
    const isTheirs = id % 2 !== this.#nextStreamId % 2;
    if (!isTheirs || id <= this.#lastPeerStreamId) {
      this.#send(encodeRstStream(id, resetStatus.protocolError));
      return;
    }
    this.#lastPeerStreamId = id;
    if (this.#streams.size >= maxOpenStreams || this.#state !== 'open') {
      this.#send(encodeRstStream(id, resetStatus.refusedStream));
      return;
    }
    const stream = this.#add(id, headers);
    if (fin) stream.finishReading();
    // The peer drops data that comes before the reply, and the handler may write at once.
    this.#send(encodeSynReply(id, this.#encoder.encode({})));
    stream.accept();
    this.#onStream(stream);
  }

  #handleSettings(values: ReadonlyMap<number, number>): void {
    const window = values.get(initialWindowSizeSetting);
    if (window === undefined || this.#peerWindow !== undefined) return;
    this.#peerWindow = window;
    for (const stream of this.#streams.values()) stream.startWindow(window);
  }

  #handlePing(id: number): void {
    if (id % 2 !== this.#nextPingId % 2) {
      this.#send(encodePing(id));
      return;
    }
    this.#pings.get(id)?.();
    this.#pings.delete(id);
  }

  #add(id: number, headers: SpdyHeaders): SpdyStream {
    const stream = new SpdyStream({
      id,
      headers,
      // A peer that keeps to the window never makes the connection wait.
      queue: new ByteQueue({ limitBytes: streamWindowBytes + 1, onRead: (bytes) => this.#credit(id, bytes) }),
      window: this.#peerWindow,
      send: (...parts) => writeAll(this.#duplex, ...parts),
      onGone: () => this.#streams.delete(id),
    });
    this.#streams.set(id, stream);
    return stream;
  }

  #credit(id: number, bytes: number): void {
    // A peer without windows may have closed already, and what we then send would make its kernel answer with a
    // reset that destroys output still on its way to us.
    if (this.#state !== 'open' || this.#peerWindow === undefined) return;
    this.#send(encodeWindowUpdate(connectionStreamId, bytes));
    if (this.#streams.has(id)) this.#send(encodeWindowUpdate(id, bytes));
  }

  /** For small frames that nobody waits for; a failure shows as the end of the connection. */
  #send(frame: Uint8Array): void {
    writeAll(this.#duplex, frame).catch(() => {});
  }
}
