/** WebSocket framing (RFC 6455, section 5), without extensions. */

export const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** The peer broke the protocol. `code` is what to put into the close frame. */
export class WebSocketProtocolError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export interface WebSocketFrame {
  readonly opcode: number;
  readonly final: boolean;
  readonly payload: Buffer;
}

/**
 * A whole, final frame as header and payload. Clients mask what they send with four random bytes; servers do not.
 */
export function encodeFrame(code: number, payload: Uint8Array, mask?: Uint8Array): readonly Uint8Array[] {
  const short = payload.length < 126;
  const medium = payload.length < 0x10000;
  const lengthBytes = short ? 0 : medium ? 2 : 8;
  const header = Buffer.alloc(2 + lengthBytes + (mask === undefined ? 0 : 4));
  header[0] = 0x80 | code;
  header[1] = (mask === undefined ? 0 : 0x80) | (short ? payload.length : medium ? 126 : 127);
  if (lengthBytes === 2) header.writeUInt16BE(payload.length, 2);
  if (lengthBytes === 8) header.writeBigUInt64BE(BigInt(payload.length), 2);
  if (mask === undefined) return [header, payload];
  header.set(mask, 2 + lengthBytes);
  return [header, masked(payload, mask)];
}

function masked(payload: Uint8Array, mask: Uint8Array): Buffer {
  const bytes = Buffer.from(payload);
  for (let index = 0; index < bytes.length; index++) bytes[index]! ^= mask[index & 3]!;
  return bytes;
}

/** Cuts a byte stream into frames. A frame's payload is held whole, up to `maxPayloadBytes`. */
export class WebSocketFrameReader {
  readonly #expectMask: boolean;
  readonly #maxPayloadBytes: number;
  #chunks: Buffer[] = [];
  #size = 0;
  /** Bytes that the frame at the front needs before another look at it is worth while. */
  #needed = 2;

  constructor(options: { readonly expectMask: boolean; readonly maxPayloadBytes: number }) {
    this.#expectMask = options.expectMask;
    this.#maxPayloadBytes = options.maxPayloadBytes;
  }

  /** @throws WebSocketProtocolError */
  *read(chunk: Uint8Array): Generator<WebSocketFrame, void, undefined> {
    this.#chunks.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
    this.#size += chunk.length;
    while (this.#size >= this.#needed) {
      const bytes = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
      const head = this.#head(bytes);
      const end = head.headerBytes + head.length;
      this.#chunks = [bytes];
      if (head.partial || bytes.length < end) {
        this.#needed = end;
        continue;
      }
      this.#chunks = [bytes.subarray(end)];
      this.#size = bytes.length - end;
      this.#needed = 2;
      const raw = bytes.subarray(head.headerBytes, end);
      const payload = this.#expectMask ? masked(raw, bytes.subarray(head.headerBytes - 4, head.headerBytes)) : raw;
      yield { opcode: bytes[0]! & 0x0f, final: (bytes[0]! & 0x80) !== 0, payload };
    }
  }

  #head(bytes: Buffer): { readonly headerBytes: number; readonly length: number; readonly partial: boolean } {
    const code = bytes[0]! & 0x0f;
    if ((bytes[0]! & 0x70) !== 0) throw new WebSocketProtocolError(1002, 'reserved bits are set');
    if (((bytes[1]! & 0x80) !== 0) !== this.#expectMask) throw new WebSocketProtocolError(1002, 'wrong masking');
    let length = bytes[1]! & 0x7f;
    const lengthBytes = length === 126 ? 2 : length === 127 ? 8 : 0;
    const headerBytes = 2 + lengthBytes + (this.#expectMask ? 4 : 0);
    if (code >= opcode.close && (length > 125 || (bytes[0]! & 0x80) === 0)) {
      throw new WebSocketProtocolError(1002, 'control frames are short and whole');
    }
    if (bytes.length < headerBytes) return { headerBytes, length: 0, partial: true };
    if (lengthBytes === 2) length = bytes.readUInt16BE(2);
    if (lengthBytes === 8) length = Number(bytes.readBigUInt64BE(2));
    if (length > this.#maxPayloadBytes) throw new WebSocketProtocolError(1009, 'message is too long');
    return { headerBytes, length, partial: false };
  }
}
