import type { Inflate } from 'node:zlib';
import { headerDictionary } from './dictionary.ts';
import { SpdyProtocolError } from './frames.ts';

/** Headers of a stream. Names are lower case; SPDY joins several values of one name with a NUL. */
export type SpdyHeaders = Readonly<Record<string, string>>;

/** What the headers of one connection's streams may take unpacked, against compression bombs. */
const maxHeaderBytes = 64 * 1024;

/**
 * Writes header blocks. All blocks of a connection form one zlib stream; ours consists of stored blocks, since the few
 * short headers that Kubernetes sends do not repay a compressor's memory.
 */
export class HeaderEncoder {
  #started = false;

  encode(headers: SpdyHeaders): Uint8Array {
    const plain = encodeBlock(headers);
    const parts: Uint8Array[] = this.#started ? [] : [zlibHeader()];
    this.#started = true;
    const stored = Buffer.alloc(5);
    stored.writeUInt16LE(plain.length, 1);
    stored.writeUInt16LE(~plain.length & 0xffff, 3);
    // The empty block is what makes a reader hand out everything before it.
    parts.push(stored, plain, Buffer.from([0, 0, 0, 0xff, 0xff]));
    return Buffer.concat(parts);
  }
}

function encodeBlock(headers: SpdyHeaders): Buffer {
  const parts: Buffer[] = [];
  const word = (value: number): void => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    parts.push(bytes);
  };
  const entries = Object.entries(headers);
  word(entries.length);
  for (const [name, value] of entries) {
    for (const text of [name.toLowerCase(), value]) {
      const bytes = Buffer.from(text);
      word(bytes.length);
      parts.push(bytes);
    }
  }
  const block = Buffer.concat(parts);
  if (block.length > 0xffff) throw new RangeError('stream headers are longer than 65535 bytes');
  return block;
}

/** Deflate with a 32 KiB window and a preset dictionary, which its checksum names (RFC 1950, section 2.2). */
function zlibHeader(): Buffer {
  const header = Buffer.from([0x78, 0x20, 0, 0, 0, 0]);
  header[1]! += 31 - (header.readUInt16BE(0) % 31);
  let a = 1;
  let b = 0;
  for (const byte of headerDictionary) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  header.writeUInt16BE(b, 2);
  header.writeUInt16BE(a, 4);
  return header;
}

/** The module is loaded with the first connection: a start does not wait for it. */
function startInflate(): Inflate {
  const { constants, createInflate } = process.getBuiltinModule('node:zlib');
  const { Z_SYNC_FLUSH } = constants;
  return createInflate({ dictionary: headerDictionary, flush: Z_SYNC_FLUSH, finishFlush: Z_SYNC_FLUSH });
}

/** Reads header blocks, which must come in the order in which they stood on the wire. */
export class HeaderDecoder {
  readonly #inflate: Inflate = startInflate();

  async decode(block: Uint8Array): Promise<SpdyHeaders> {
    const inflate = this.#inflate;
    const pieces: Buffer[] = [];
    let size = 0;
    await new Promise<void>((resolve, reject) => {
      const take = (): void => {
        for (let piece = inflate.read(); piece !== null; piece = inflate.read()) {
          pieces.push(piece);
          size += piece.length;
          if (size > maxHeaderBytes) settle(new SpdyProtocolError('stream headers are too long'));
        }
      };
      const settle = (error?: Error | null): void => {
        inflate.off('readable', take).off('error', settle);
        if (error) reject(new SpdyProtocolError(error.message));
        else resolve();
      };
      inflate.on('readable', take).on('error', settle);
      inflate.write(block, (error) => {
        take();
        settle(error);
      });
    });
    return decodeBlock(Buffer.concat(pieces));
  }

  close(): void {
    // A destroyed stream may still report what it was doing.
    this.#inflate.on('error', () => {}).destroy();
  }
}

function decodeBlock(block: Buffer): SpdyHeaders {
  let at = 0;
  const word = (): number => {
    if (at + 4 > block.length) throw new SpdyProtocolError('header block is cut short');
    at += 4;
    return block.readUInt32BE(at - 4);
  };
  const text = (): string => {
    const length = word();
    if (at + length > block.length) throw new SpdyProtocolError('header block is cut short');
    at += length;
    return block.toString('utf8', at - length, at);
  };
  const headers: Record<string, string> = Object.create(null);
  for (let left = word(); left > 0; left--) {
    const name = text().toLowerCase();
    headers[name] = text();
  }
  return headers;
}
