import type { Readable } from 'node:stream';
import { sleep, systemClock } from '#base/clock.ts';
import { parseJson, stringifyJson } from '#machinery/json.ts';
import type { JsonObject } from '#machinery/meta.ts';
import type { Client } from '../client.ts';
import { type ApiRequest, createClient, errorFrom, type Transport, type WatchFrame } from '../request.ts';
import { createExchange, type Exchange, type ExchangeResponse } from './exchange.ts';
import { type HttpClientOptions, httpLimits } from './options.ts';

export type { HttpClientOptions } from './options.ts';

/** A Client over HTTP, with the way down to plain requests for what the API says outside of objects. */
export interface HttpClient extends Client {
  /** Any path (`/version`, `/openapi/v3`, a log); the body is a stream. Throws ApiError for a failure. */
  raw(request: RawRequest): Promise<ExchangeResponse>;
  /** `raw`, with the whole body as text. */
  rawText(request: RawRequest): Promise<string>;
  /** Headers that say who this is; for WebSockets that a command opens by itself. */
  authHeaders(): Promise<Readonly<Record<string, string | readonly string[]>>>;
  readonly options: HttpClientOptions;
  close(): void;
}

export interface RawRequest {
  readonly method?: string;
  /** Absolute path with its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal | undefined;
}

/** A Client that speaks to `options.server`. `close` it to let go of its connections. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const transport = new HttpTransport(options);
  return {
    ...createClient(transport),
    raw: (request) => transport.raw(request),
    rawText: async (request) => readText((await transport.raw(request)).body),
    authHeaders: () => transport.authHeaders(false),
    options,
    close: () => transport.close(),
  };
}

class HttpTransport implements Transport {
  readonly #options: HttpClientOptions;
  readonly #exchange: Exchange;
  readonly #prefix: string;

  constructor(options: HttpClientOptions) {
    this.#options = options;
    this.#exchange = createExchange(options);
    this.#prefix = new URL(options.server).pathname.replace(/\/$/, '');
  }

  close(): void {
    this.#exchange.close();
  }

  async send(request: ApiRequest): Promise<JsonObject> {
    const response = await this.#call(request);
    return parseJson(await readBytes(response.body)) as JsonObject;
  }

  async *watch(request: ApiRequest): AsyncGenerator<WatchFrame> {
    const { body } = await this.#call(request);
    try {
      for await (const line of lines(body)) yield parseJson(line) as unknown as WatchFrame;
    } catch (error) {
      request.signal?.throwIfAborted();
      throw error;
    } finally {
      body.destroy();
    }
  }

  raw({ method = 'GET', path, headers = {}, body, signal }: RawRequest): Promise<ExchangeResponse> {
    return this.#attempt({ method, path: this.#prefix + path, headers, body, signal });
  }

  async authHeaders(renew: boolean): Promise<Readonly<Record<string, string | readonly string[]>>> {
    const { token, username, password, impersonate } = this.#options;
    const current = typeof token === 'function' ? await token({ renew }) : token;
    const basic = username === undefined ? undefined : Buffer.from(`${username}:${password ?? ''}`).toString('base64');
    return {
      ...(basic === undefined ? {} : { authorization: `Basic ${basic}` }),
      ...(current === undefined || current === '' ? {} : { authorization: `Bearer ${current}` }),
      ...(impersonate === undefined ? {} : impersonation(impersonate)),
      ...(impersonate?.uid === undefined ? {} : { 'impersonate-uid': impersonate.uid }),
    };
  }

  #call(request: ApiRequest): Promise<ExchangeResponse> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(request.query)) if (value !== undefined) query.set(name, value);
    const text = query.toString();
    return this.#attempt({
      method: request.method,
      path: this.#prefix + request.path + (text === '' ? '' : `?${text}`),
      headers: {
        accept: 'application/json',
        ...(request.body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
        ...(request.identity === undefined ? {} : impersonation(request.identity)),
      },
      body: request.body === undefined ? undefined : stringifyJson(request.body),
      signal: request.signal,
    });
  }

  /** Sends, waiting out overload as the server asks and renewing credentials once. */
  async #attempt(request: Parameters<Exchange['send']>[0]): Promise<ExchangeResponse> {
    let renewed = false;
    for (let attempt = 0; ; attempt++) {
      const headers = {
        'user-agent': this.#options.userAgent ?? 'proa',
        ...(await this.authHeaders(renewed)),
        ...request.headers,
      };
      const response = await this.#exchange.send({ ...request, headers });
      if (response.status < 400) return response;
      const text = await readText(response.body);
      if (response.status === 401 && !renewed && typeof this.#options.token === 'function') {
        renewed = true;
        continue;
      }
      const waitSeconds = Number(response.headers['retry-after'] ?? Number.NaN);
      const isOverload = response.status === 429 || response.status === 503;
      if (!isOverload || Number.isNaN(waitSeconds) || attempt >= httpLimits.retries) {
        throw errorFrom(response.status, parseBody(text));
      }
      await sleep(this.#options.clock ?? systemClock({ keepAlive: true }), waitSeconds * 1000, request.signal);
    }
  }
}

function impersonation(identity: {
  readonly user: string;
  readonly groups?: readonly string[];
}): Record<string, string | readonly string[]> {
  const groups = identity.groups ?? [];
  return { 'impersonate-user': identity.user, ...(groups.length === 0 ? {} : { 'impersonate-group': groups }) };
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

async function readBytes(body: Readable): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

async function readText(body: Readable): Promise<string> {
  return (await readBytes(body)).toString('utf8');
}

/** Whole lines of a stream, without their ends; empty ones are left out. */
export async function* lines(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const pending: Uint8Array[] = [];
  let pendingBytes = 0;
  for await (const chunk of body) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      const line = Buffer.concat([...pending.splice(0), chunk.subarray(start, end)]);
      pendingBytes = 0;
      start = end + 1;
      if (line.length > 0) yield line;
    }
    if (start === chunk.length) continue;
    pending.push(chunk.subarray(start));
    pendingBytes += chunk.length - start;
    if (pendingBytes > httpLimits.watchLine) throw new Error(`a line of more than ${httpLimits.watchLine} bytes`);
  }
}
