import type { IncomingMessage, OutgoingHttpHeaders, RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions } from 'node:tls';
import { ApiError, type Status } from '#machinery/errors.ts';
import { nodeHttp } from './node-http.ts';

/** How to reach a server that will change protocols. */
export interface UpgradeTarget {
  /** `http:` or `https:`. */
  readonly url: URL;
  /** Authorization and the like. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly tls?: SecureContextOptions & { readonly rejectUnauthorized?: boolean; readonly servername?: string };
  readonly signal: AbortSignal;
}

export interface Upgraded {
  readonly socket: Duplex;
  /** Bytes that came with the answer. */
  readonly head: Uint8Array;
  readonly response: IncomingMessage;
}

/** An answer that is a refusal may be this long before the rest is cut off. */
const maxRefusalBytes = 64 * 1024;

/** Sends an upgrade request. Throws ApiError when the server answers with anything but 101. */
export function requestUpgrade(
  target: UpgradeTarget,
  options: { readonly method: 'GET' | 'POST'; readonly protocol: string; readonly headers: OutgoingHttpHeaders },
): Promise<Upgraded> {
  return new Promise((resolve, reject) => {
    const common: RequestOptions = {
      method: options.method,
      // A connection of its own, outside any pool.
      agent: false,
      headers: { ...target.headers, ...options.headers, Connection: 'Upgrade', Upgrade: options.protocol },
      signal: target.signal,
    };
    const request =
      target.url.protocol === 'https:'
        ? httpsRequest(target.url, { ...target.tls, ...common })
        : nodeHttp().request(target.url, common);
    request.on('upgrade', (response, socket, head) => {
      // The request's own signal no longer watches a socket that has been handed over.
      const abort = () => socket.destroy();
      if (target.signal.aborted) abort();
      target.signal.addEventListener('abort', abort, { once: true });
      socket.once('close', () => target.signal.removeEventListener('abort', abort));
      resolve({ socket, head, response });
    });
    request.on('response', (response) => {
      refusal(response).then(reject, reject);
    });
    request.on('error', reject);
    request.end();
  });
}

async function refusal(response: IncomingMessage): Promise<ApiError> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) {
    text += chunk;
    if (text.length > maxRefusalBytes) break;
  }
  const code = response.statusCode ?? 500;
  try {
    const status = JSON.parse(text) as Partial<Status>;
    if (status.kind === 'Status') return ApiError.fromStatus({ ...(status as Status), code: status.code ?? code });
  } catch {
    // Not a Status: the text itself is the best explanation there is.
  }
  return new ApiError(code, '', `unable to upgrade connection: ${text.trim() || response.statusMessage || code}`);
}
