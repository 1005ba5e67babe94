import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import { ApiError } from '#machinery/errors.ts';

/** Largest body of a write, as upstream's. */
const maxBodyBytes = 3 * 1024 * 1024;

export type AnyRequest = IncomingMessage | Http2ServerRequest;

/** The whole body. Rejects with ApiError 413 when it is too large, and when the client goes away before its end. */
export function readBody(request: AnyRequest): Promise<Uint8Array> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > maxBodyBytes) return Promise.reject(tooLarge());
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const parts: Uint8Array[] = [];
  let length = 0;
  // Listeners, not an iterator: that costs several times as much for a body that comes in one part, as most do.
  const onPart = (part: Uint8Array): void => {
    length += part.length;
    parts.push(part);
    if (length <= maxBodyBytes) return;
    request.off('data', onPart);
    parts.length = 0;
    reject(tooLarge());
  };
  request.on('data', onPart);
  request.once('end', () => resolve(parts.length === 1 ? parts[0]! : Buffer.concat(parts)));
  request.once('error', reject);
  request.once('close', () => reject(new Error('the client went away before the end of its request')));
  return promise;
}

function tooLarge(): ApiError {
  return new ApiError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${maxBodyBytes}`);
}

/** The whole answer of a server that we asked. @throws Error when it is larger than `maxBytes`; the rest is not read. */
export async function readAnswer(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > maxBytes) {
      response.destroy();
      throw new Error(`the answer is larger than ${maxBytes} bytes`);
    }
    parts.push(part);
  }
  return Buffer.concat(parts);
}
