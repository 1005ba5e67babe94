/** SPDY/3.1 framing (SPDY protocol draft 3.1, section 2). Header blocks stay compressed here; see headers.ts. */

const version = 3;

const controlType = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

export const resetStatus = {
  protocolError: 1,
  invalidStream: 2,
  refusedStream: 3,
  cancel: 5,
  flowControlError: 7,
} as const;

/** The id of the setting that announces how many bytes a stream may send unasked. */
export const initialWindowSizeSetting = 7;

const finFlag = 0x01;

/** Control frames are held whole while they arrive; a longer one ends the connection. */
const maxControlFrameBytes = 64 * 1024;

export type Frame =
  /** A piece of a data frame: long frames are passed on as they arrive, with `fin` on the last piece. */
  | { readonly type: 'data'; readonly streamId: number; readonly bytes: Uint8Array; readonly fin: boolean }
  | {
      readonly type: 'synStream' | 'synReply' | 'headers';
      readonly streamId: number;
      readonly fin: boolean;
      readonly block: Uint8Array;
    }
  | { readonly type: 'rstStream'; readonly streamId: number; readonly status: number }
  | { readonly type: 'settings'; readonly values: ReadonlyMap<number, number> }
  | { readonly type: 'ping'; readonly id: number }
  | { readonly type: 'goAway'; readonly lastStreamId: number }
  | { readonly type: 'windowUpdate'; readonly streamId: number; readonly delta: number }
  | { readonly type: 'unknown' };

/** The peer broke the protocol; the connection cannot go on. */
export class SpdyProtocolError extends Error {}

/** The eight bytes in front of a data frame's payload. */
export function dataFrameHeader(streamId: number, length: number, { fin }: { readonly fin: boolean }): Uint8Array {
  const header = Buffer.allocUnsafe(8);
  header.writeUInt32BE(streamId, 0);
  header.writeUInt32BE(length, 4);
  header[4] = fin ? finFlag : 0;
  return header;
}

export function encodeSynStream(streamId: number, block: Uint8Array): Uint8Array {
  // The associated stream and the priority are not used by Kubernetes.
  return controlFrame(controlType.synStream, 0, [word(streamId), word(0), Buffer.alloc(2), block]);
}

export function encodeSynReply(streamId: number, block: Uint8Array): Uint8Array {
  return controlFrame(controlType.synReply, 0, [word(streamId), block]);
}

export function encodeRstStream(streamId: number, status: number): Uint8Array {
  return controlFrame(controlType.rstStream, 0, [word(streamId), word(status)]);
}

export function encodeSettings(values: ReadonlyMap<number, number>): Uint8Array {
  const entries = [...values].flatMap(([id, value]) => [word(id), word(value)]);
  return controlFrame(controlType.settings, 0, [word(values.size), ...entries]);
}

export function encodePing(id: number): Uint8Array {
  return controlFrame(controlType.ping, 0, [word(id)]);
}

export function encodeGoAway(lastStreamId: number): Uint8Array {
  return controlFrame(controlType.goAway, 0, [word(lastStreamId), word(0)]);
}

export function encodeWindowUpdate(streamId: number, delta: number): Uint8Array {
  return controlFrame(controlType.windowUpdate, 0, [word(streamId), word(delta)]);
}

function word(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

function controlFrame(type: number, flags: number, parts: readonly Uint8Array[]): Uint8Array {
  const payload = Buffer.concat(parts);
  const header = Buffer.allocUnsafe(8);
  header.writeUInt16BE(0x8000 | version, 0);
  header.writeUInt16BE(type, 2);
  header.writeUInt32BE(payload.length, 4);
  header[4] = flags;
  return Buffer.concat([header, payload]);
}

/** Cuts a byte stream into frames, wherever its chunks happen to end. */
export class FrameReader {
  #buffered: Buffer = Buffer.alloc(0);
  #data: { readonly streamId: number; readonly fin: boolean; left: number } | undefined;

  /** @throws SpdyProtocolError when the bytes are no SPDY/3 frames. */
  *read(chunk: Uint8Array): Generator<Frame, void, undefined> {
    let bytes =
      this.#buffered.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length) : this.#join(chunk);
    this.#buffered = Buffer.alloc(0);
    for (;;) {
      if (this.#data !== undefined) {
        const data = this.#data;
        const piece = bytes.subarray(0, data.left);
        if (piece.length < data.left && piece.length === 0) return;
        bytes = bytes.subarray(piece.length);
        data.left -= piece.length;
        if (data.left === 0) this.#data = undefined;
        yield { type: 'data', streamId: data.streamId, bytes: piece, fin: data.fin && data.left === 0 };
        continue;
      }
      if (bytes.length < 8) break;
      const length = bytes.readUInt32BE(4) & 0xffffff;
      const flags = bytes[4]!;
      if ((bytes[0]! & 0x80) === 0) {
        const streamId = bytes.readUInt32BE(0);
        bytes = bytes.subarray(8);
        this.#data = { streamId, fin: (flags & finFlag) !== 0, left: length };
        continue;
      }
      if ((bytes.readUInt16BE(0) & 0x7fff) !== version) throw new SpdyProtocolError('not a SPDY/3 frame');
      if (length > maxControlFrameBytes) throw new SpdyProtocolError(`control frame of ${length} bytes`);
      if (bytes.length < 8 + length) break;
      yield decodeControl(bytes.readUInt16BE(2), flags, bytes.subarray(8, 8 + length));
      bytes = bytes.subarray(8 + length);
    }
    this.#buffered = bytes;
  }

  #join(chunk: Uint8Array): Buffer<ArrayBuffer> {
    return Buffer.concat([this.#buffered, chunk]);
  }
}

const leastLength: Readonly<Record<number, number>> = {
  [controlType.synStream]: 10,
  [controlType.synReply]: 4,
  [controlType.headers]: 4,
  [controlType.rstStream]: 8,
  [controlType.settings]: 4,
  [controlType.ping]: 4,
  [controlType.goAway]: 4,
  [controlType.windowUpdate]: 8,
};

function decodeControl(type: number, flags: number, payload: Buffer): Frame {
  if (payload.length < (leastLength[type] ?? 0)) throw new SpdyProtocolError(`control frame ${type} is too short`);
  const fin = (flags & finFlag) !== 0;
  const first = payload.length < 4 ? 0 : payload.readUInt32BE(0) & 0x7fffffff;
  switch (type) {
    case controlType.synStream:
      return { type: 'synStream', streamId: first, fin, block: payload.subarray(10) };
    case controlType.synReply:
      return { type: 'synReply', streamId: first, fin, block: payload.subarray(4) };
    case controlType.headers:
      return { type: 'headers', streamId: first, fin, block: payload.subarray(4) };
    case controlType.rstStream:
      return { type: 'rstStream', streamId: first, status: payload.readUInt32BE(4) };
    case controlType.settings:
      return { type: 'settings', values: decodeSettings(payload) };
    case controlType.ping:
      return { type: 'ping', id: payload.readUInt32BE(0) };
    case controlType.goAway:
      return { type: 'goAway', lastStreamId: first };
    case controlType.windowUpdate:
      return { type: 'windowUpdate', streamId: first, delta: payload.readUInt32BE(4) & 0x7fffffff };
    default:
      return { type: 'unknown' };
  }
}

function decodeSettings(payload: Buffer): ReadonlyMap<number, number> {
  const values = new Map<number, number>();
  for (let at = 4; at + 8 <= payload.length; at += 8) {
    values.set(payload.readUInt32BE(at) & 0xffffff, payload.readUInt32BE(at + 4));
  }
  return values;
}
