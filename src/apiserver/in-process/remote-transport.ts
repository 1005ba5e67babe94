import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { type ApiRequest, errorFrom, type Transport, type WatchFrame } from '#client/request.ts';
import { ApiError } from '#machinery/errors.ts';
import { encodeJson, parseJson } from '#machinery/json.ts';
import type { JsonObject } from '#machinery/meta.ts';
import type { RemoteApi } from '../aggregation/aggregator.ts';
import { userHeaders } from '../aggregation/remote-server.ts';
import { requireAllowed } from '../authorization/authorizer.ts';
import { readAnswer } from '../http/body.ts';
import { requestInfo } from '../http/request-info.ts';
import type { UserInfo } from '../registry/operation.ts';
import type { ApiServer } from '../server.ts';
import { dialFailure } from '../webhooks/failures.ts';

/** How long another server may take over an answer, or to begin a watch. */
const answerLimitMs = 30_000;
const maxAnswerBytes = 256 * 2 ** 20;

/**
 * Carries the requests of a component in this process to an aggregated server, as the HTTP front hands on those of
 * clients: who may ask is decided here, and who asks is told there.
 */
export class RemoteTransport implements Transport {
  readonly #server: ApiServer;
  readonly #remote: RemoteApi;
  readonly #user: UserInfo;

  constructor(server: ApiServer, remote: RemoteApi, user: UserInfo) {
    this.#server = server;
    this.#remote = remote;
    this.#user = user;
  }

  async send(request: ApiRequest): Promise<JsonObject> {
    const { response, limit } = await this.#open(request);
    try {
      return parseJson(await readAnswer(response, maxAnswerBytes)) as JsonObject;
    } catch (error) {
      request.signal?.throwIfAborted();
      throw unavailable(error);
    } finally {
      limit.cancel();
    }
  }

  async *watch(request: ApiRequest): AsyncGenerator<WatchFrame> {
    const { response, limit } = await this.#open(request);
    limit.cancel();
    // Few clusters have aggregated servers.
    const { lines } = await import('#client/http/client.ts');
    try {
      for await (const line of lines(response as AsyncIterable<Uint8Array>))
        yield parseJson(line) as unknown as WatchFrame;
    } catch (error) {
      request.signal?.throwIfAborted();
      throw unavailable(error);
    } finally {
      response.destroy();
    }
  }

  /** The head of a successful answer, and the timer that bounds the rest. @throws ApiError */
  async #open(
    request: ApiRequest,
  ): Promise<{ readonly response: IncomingMessage; readonly limit: { cancel(): void } }> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(request.query)) if (value !== undefined) query.set(name, value);
    await this.#authorize(request, query);
    if (!this.#remote.isAvailable) throw new ApiError(503, 'ServiceUnavailable', 'service unavailable');
    const outgoing = this.#begin(request, query);
    const onAbort = (): void => void outgoing.destroy();
    request.signal?.addEventListener('abort', onAbort, { once: true });
    outgoing.once('close', () => request.signal?.removeEventListener('abort', onAbort));
    const tooLate = new ApiError(504, 'Timeout', 'request did not complete within the allotted timeout');
    const limit = this.#server.environment.clock.schedule(answerLimitMs, () => outgoing.destroy(tooLate));
    try {
      const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
      const code = response.statusCode ?? 502;
      if (code < 300) return { response, limit };
      throw errorFrom(code, await readStatus(response));
    } catch (error) {
      limit.cancel();
      request.signal?.throwIfAborted();
      throw unavailable(error);
    }
  }

  async #authorize({ method, path }: ApiRequest, query: URLSearchParams): Promise<void> {
    const info = requestInfo(method, path, query);
    if (info.type !== 'resource')
      throw new ApiError(404, 'NotFound', 'the server could not find the requested resource');
    const { verb, group, version, resource, subresource, namespace, name } = info;
    const attributes = { user: this.#user, verb, group, version, resource, subresource, namespace, name, path: '' };
    await requireAllowed(this.#server.authorizer, attributes, undefined);
  }

  #begin({ method, path, body, contentType = 'application/json' }: ApiRequest, query: URLSearchParams): ClientRequest {
    const bytes = body === undefined ? undefined : encodeJson(body);
    const content = bytes === undefined ? {} : { 'content-type': contentType, 'content-length': bytes.length };
    const headers = { ...userHeaders(this.#user), accept: 'application/json', ...content };
    try {
      const text = query.size === 0 ? '' : `?${query}`;
      const outgoing = this.#remote.server.request({ method, path: path + text, headers });
      outgoing.on('error', () => {});
      outgoing.end(bytes);
      return outgoing;
    } catch {
      // Nothing is behind its service.
      throw new ApiError(503, 'ServiceUnavailable', 'service unavailable');
    }
  }
}

async function readStatus(response: IncomingMessage): Promise<unknown> {
  const bytes = await readAnswer(response, maxAnswerBytes);
  try {
    return parseJson(bytes);
  } catch {
    return bytes.toString('utf8');
  }
}

function unavailable(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError(503, 'ServiceUnavailable', `error trying to reach service: ${dialFailure(error)}`);
}
