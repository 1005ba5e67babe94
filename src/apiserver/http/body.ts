import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { ApiError } from '#machinery/errors.ts';
import type { AnyRequest } from './any-http.ts';

/** Largest body of a write, as upstream's. */
const maxBodyBytes = 3 * 1024 * 1024;

/** The whole body. Rejects with ApiError 413 when it is too large, and when the client goes away before its end. */
export function readBody(request: AnyRequest): Promise<Uint8Array> {
  if ('body' in request) return Promise.resolve(request.body);
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > maxBodyBytes) return Promise.reject(tooLarge());
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const body = new Chunks();
  // Listeners, not an iterator: that costs several times as much for a body that comes in one part, as most do.
  const onPart = (part: Uint8Array): void => {
    if (body.length + part.length <= maxBodyBytes) return body.add(part);
    source.off('data', onPart);
    body.clear();
    reject(tooLarge());
  };
  const source: Readable = 'stream' in request ? request.stream : request;
  source.on('data', onPart);
  // Every request is closed in the end; an error, with where it came from, is made only for one that was not over.
  const onClose = (): void => reject(new Error('the client went away before the end of its request'));
  source.once('end', () => {
    source.off('close', onClose);
    resolve(body.bytes);
  });
  source.once('error', reject);
  source.once('close', onClose);
  return promise;
}

/** Hands the body on as it comes. */
export function passBody(request: AnyRequest, to: NodeJS.WritableStream): void {
  if ('body' in request) to.end(request.body);
  else if ('stream' in request) request.stream.pipe(to);
  else request.pipe(to);
}

function tooLarge(): ApiError {
  return new ApiError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${maxBodyBytes}`);
}

/** The whole answer of a server that we asked. @throws Error when it is larger than `maxBytes`; the rest is not read. */
export async function readAnswer(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const body = new Chunks();
  for await (const part of response as AsyncIterable<Buffer>) {
    if (body.length + part.length > maxBytes) {
      response.destroy();
      throw new Error(`the answer is larger than ${maxBytes} bytes`);
    }
    body.add(part);
  }
  const { bytes } = body;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** What has come so far as one. Chunks are not kept one by one: there may be as many as there are bytes. */
class Chunks {
  length = 0;
  #whole: Uint8Array = new Uint8Array(0);

  get bytes(): Uint8Array {
    return this.#whole.length === this.length ? this.#whole : this.#whole.subarray(0, this.length);
  }

  add(chunk: Uint8Array): void {
    const end = this.length + chunk.length;
    if (this.length === 0) this.#whole = chunk;
    else {
      if (this.#whole.length < end) {
        const grown = Buffer.allocUnsafe(Math.max(end, 2 * this.#whole.length));
        grown.set(this.bytes);
        this.#whole = grown;
      }
      this.#whole.set(chunk, this.length);
    }
    this.length = end;
  }

  clear(): void {
    this.length = 0;
    this.#whole = new Uint8Array(0);
  }
}
