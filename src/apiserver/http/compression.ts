import type { Gzip } from 'node:zlib';
import type { AnyResponse } from './any-http.ts';

/** Bytes of an answer from which on it is worth the work, and how much work: upstream's `APIResponseCompression`. */
const thresholdBytes = 128 * 1024;
const level = 1;

/** zlib is loaded by the first who asks for it. */
const zlib = (): typeof import('node:zlib') => process.getBuiltinModule('node:zlib');

/** Whether a client of the API takes gzip; upstream looks for the bare word there. */
export function namesGzip(accepted: string | readonly string[] | undefined): boolean {
  if (accepted === undefined) return false;
  if (accepted === 'gzip') return true;
  return String(accepted)
    .split(',')
    .some((token) => token.trim() === 'gzip');
}

/** The same where upstream looks at the qualities as well. */
export function acceptsGzip(accepted: string | readonly string[] | undefined): boolean {
  return String(accepted ?? '')
    .split(',')
    .some((token) => {
      const [name, quality = 'q=1'] = token.split(';').map((part) => part.trim());
      return name === 'gzip' && Number(quality.slice('q='.length)) > 0;
    });
}

/** Whether an answer of so many bytes is compressed. */
export function isCompressed(response: AnyResponse, bytes: number): boolean {
  return response.takesGzip === true && bytes > thresholdBytes;
}

/** Says in the headers that the body is compressed. */
export function declareGzip(response: AnyResponse): void {
  response.setHeader('content-encoding', 'gzip');
  const varies = response.getHeader('vary');
  response.setHeader('vary', varies === undefined ? 'Accept-Encoding' : ['Accept-Encoding', String(varies)]);
}

/** Compresses a whole body beside what else goes on. */
export function compressed(body: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) =>
    zlib().gzip(body, { level }, (error, bytes) => (error === null ? resolve(bytes) : reject(error))),
  );
}

/** What is written to it goes to the response, compressed. */
export function compressing(response: AnyResponse): Gzip {
  const gzip = zlib().createGzip({ level });
  gzip.pipe(response as unknown as NodeJS.WritableStream);
  response.once('close', () => gzip.destroy());
  return gzip;
}
