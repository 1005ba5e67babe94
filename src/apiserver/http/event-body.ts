import type { AnyResponse } from './any-http.ts';
import { countSent } from './chunks.ts';

const lastChunk = '0\r\n\r\n';
const lineEnd = Buffer.from('\r\n');

/** Pieces as HTTP/1.1 frames them: made once, however many watchers they go to. */
const chunks = new WeakMap<Uint8Array, Buffer>();

function chunkOf(piece: Uint8Array): Buffer {
  let chunk = chunks.get(piece);
  if (chunk === undefined) {
    chunk = Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, lineEnd]);
    chunks.set(piece, chunk);
  }
  return chunk;
}

/**
 * The body of an answer that goes on, with the head sent. Over HTTP/1.1 its chunks are framed here: Node would frame
 * and copy them for each watcher again.
 */
export class EventBody {
  readonly #response: AnyResponse;
  readonly #isFramedHere: boolean;

  constructor(response: AnyResponse) {
    this.#response = response;
    response.flushHeaders();
    // Neither HTTP/1.0 nor HTTP/2 has chunks.
    this.#isFramedHere = response.chunkedEncoding === true;
    if (this.#isFramedHere) response.chunkedEncoding = false;
  }

  /** Whether more may be written at once. Pieces are never empty. */
  write(piece: Uint8Array): boolean {
    countSent(this.#response, piece.length);
    return this.#response.write(this.#isFramedHere ? chunkOf(piece) : piece);
  }

  end(): void {
    if (this.#isFramedHere) this.#response.end(lastChunk);
    else this.#response.end();
  }
}
