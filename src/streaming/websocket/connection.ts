import type { Duplex } from 'node:stream';
import type { Random } from '#base/random.ts';
import { StreamCutError } from '../byte-queue.ts';
import { readAll, writeAll } from '../duplex.ts';
import { encodeFrame, opcode, type WebSocketFrame, WebSocketFrameReader, WebSocketProtocolError } from './frames.ts';

/** A longer message closes the connection with code 1009; upstream's servers draw the line at the same size. */
const maxMessageBytes = 32 * 1024 * 1024;
/** Empty ones count, too: each takes memory. */
const maxFragments = 64 * 1024;

export interface WebSocketMessage {
  readonly type: 'text' | 'binary';
  readonly data: Buffer;
}

export interface WebSocketConnectionOptions {
  /** Clients mask their frames, with bytes from `random`. */
  readonly role: { readonly side: 'server' } | { readonly side: 'client'; readonly random: Random };
  /** Bytes that were read past the HTTP upgrade. */
  readonly head: Uint8Array;
}

/** An open WebSocket over any duplex whose HTTP handshake is done. Pings are answered by themselves. */
export class WebSocketConnection {
  readonly #duplex: Duplex;
  readonly #options: WebSocketConnectionOptions;
  #closeSent = false;

  constructor(duplex: Duplex, options: WebSocketConnectionOptions) {
    this.#duplex = duplex;
    this.#options = options;
    duplex.on('error', () => {});
  }

  /** Resolves when more may be sent. Rejects with StreamCutError when the connection is gone. */
  send(type: 'text' | 'binary', data: Uint8Array): Promise<void> {
    return this.#write(opcode[type], data);
  }

  ping(): Promise<void> {
    return this.#write(opcode.ping, new Uint8Array(0));
  }

  /**
   * Messages until the peer closes or vanishes; to be iterated once. Nothing is read ahead of the iteration, which
   * therefore is the back-pressure.
   */
  async *messages(): AsyncGenerator<WebSocketMessage, void, undefined> {
    const reader = new WebSocketFrameReader({
      expectMask: this.#options.role.side === 'server',
      maxPayloadBytes: maxMessageBytes,
    });
    const assembler = new MessageAssembler();
    try {
      for await (const chunk of readAll(this.#duplex, this.#options.head)) {
        for (const frame of reader.read(chunk)) {
          if (frame.opcode === opcode.close) return;
          if (frame.opcode === opcode.ping) this.#write(opcode.pong, frame.payload).catch(() => {});
          const message = assembler.add(frame);
          if (message !== undefined) yield message;
        }
      }
    } catch (error) {
      if (!(error instanceof WebSocketProtocolError)) throw error;
      this.close(error.code, error.message);
    } finally {
      this.close();
    }
  }

  /** Sends a close frame after what has been sent, and ends our half. */
  close(code = 1000, reason = ''): void {
    if (this.#closeSent) return;
    const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
    payload.writeUInt16BE(code);
    payload.write(reason, 2);
    this.#write(opcode.close, payload).catch(() => {});
    this.#closeSent = true;
    this.#duplex.end();
  }

  destroy(): void {
    this.#duplex.destroy();
  }

  #write(code: number, payload: Uint8Array): Promise<void> {
    if (this.#closeSent) return Promise.reject(new StreamCutError('connection closed'));
    const { role } = this.#options;
    return writeAll(
      this.#duplex,
      ...encodeFrame(code, payload, role.side === 'client' ? role.random.bytes(4) : undefined),
    );
  }
}

/** Puts fragments together again. */
class MessageAssembler {
  #type: 'text' | 'binary' | undefined;
  #parts: Buffer[] = [];
  #size = 0;

  add(frame: WebSocketFrame): WebSocketMessage | undefined {
    if (frame.opcode >= opcode.close) {
      if (frame.opcode > opcode.pong) throw new WebSocketProtocolError(1002, 'unknown control frame');
      return undefined;
    }
    const isFirst = frame.opcode !== opcode.continuation;
    if (isFirst === (this.#type !== undefined) || frame.opcode > opcode.binary) {
      throw new WebSocketProtocolError(1002, 'fragments out of order');
    }
    if (isFirst) this.#type = frame.opcode === opcode.text ? 'text' : 'binary';
    this.#parts.push(frame.payload);
    if (this.#parts.length > maxFragments) throw new WebSocketProtocolError(1009, 'message has too many fragments');
    this.#size += frame.payload.length;
    if (this.#size > maxMessageBytes) throw new WebSocketProtocolError(1009, 'message is too long');
    if (!frame.final) return undefined;
    const message = { type: this.#type!, data: this.#parts.length === 1 ? frame.payload : Buffer.concat(this.#parts) };
    this.#type = undefined;
    this.#parts = [];
    this.#size = 0;
    return message;
  }
}
