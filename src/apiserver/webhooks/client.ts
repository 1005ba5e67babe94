import type { Agent } from 'node:http';
import * as https from 'node:https';
import { isIP } from 'node:net';
import type { Environment } from '#base/environment.ts';
import { trusting } from '#client/http/trust.ts';
import { encodeJson, parseShallowJson } from '#machinery/json.ts';
import type { Json } from '#machinery/meta.ts';
import { nodeHttp } from '#streaming/node-http.ts';
import { readAnswer } from '../http/body.ts';
import type { ResourceTable } from '../resources/resource.ts';
import { spanHeaders, type Tracer } from '../tracing/tracer.ts';
import {
  formatUrl,
  resolveWebhook,
  type WebhookAddress,
  type WebhookClientConfig,
  type WebhookUrl,
  webhookUrl,
} from './address.ts';
import { CertificateProblems } from './certificates.ts';
import { dialFailure, statusFailure } from './failures.ts';

/** Bytes of an answer; an AdmissionReview carries at most one patch of one object. */
const maxAnswerBytes = 16 * 1024 * 1024;
/** Connections to one webhook. */
const maxConnections = 64;
/** Authorities whose connections are kept for the next call. */
const maxPools = 256;

export interface WebhookCall {
  readonly config: WebhookClientConfig;
  readonly body: object;
  readonly timeoutMs: number;
  /** Tells the webhook how long it has, as `?timeout=10s`. */
  readonly announceTimeout?: boolean;
  readonly signal?: AbortSignal;
}

/** A call that came to nothing. `status` is the answer's, when there was one. */
export class WebhookFailure extends Error {
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.name = 'WebhookFailure';
    this.status = status;
  }
}

/** Calls webhooks over connections that are kept open. */
export class WebhookClient {
  readonly #resources: ResourceTable;
  readonly #environment: Environment;
  /** By the authorities that they trust, the least recently used first. */
  readonly #pools = new Map<string, https.Agent>();
  #plain: Agent | undefined;
  readonly #tracer: Tracer | undefined;
  /** Of the webhooks' certificates. */
  readonly problems = new CertificateProblems();

  constructor(resources: ResourceTable, environment: Environment, tracer?: Tracer) {
    this.#resources = resources;
    this.#environment = environment;
    this.#tracer = tracer;
  }

  #plainPool(): Agent {
    this.#plain ??= new (nodeHttp().Agent)({ keepAlive: true, maxSockets: maxConnections });
    return this.#plain;
  }

  /** POSTs a JSON document and gives back the answer's. @throws WebhookFailure, in the words of Go's client. */
  async call({ config, body, timeoutMs, announceTimeout = false, signal }: WebhookCall): Promise<Json> {
    const url = webhookUrl(config, announceTimeout ? timeoutMs / 1000 : undefined);
    const stop = new AbortController();
    const timer = this.#environment.clock.schedule(timeoutMs, () => stop.abort(new Error('context deadline exceeded')));
    const onAbort = (): void => stop.abort(new Error('context canceled'));
    signal?.addEventListener('abort', onAbort, { once: true });
    const span = this.#tracer?.child({ name: 'HTTP POST', kind: 'client', attributes: { 'url.path': url.path } });
    try {
      const address = resolveWebhook(config, this.#resources, this.#environment.random);
      const answer = await this.#post(address, {
        url,
        config,
        body: encodeJson(body),
        signal: stop.signal,
        trace: spanHeaders(span),
        again: true,
      });
      span?.end({ attributes: { 'http.response.status_code': answer.status } });
      if (answer.status < 200 || answer.status > 299)
        throw new WebhookFailure(statusFailure(answer.status, answer.body), answer.status);
      return parsed(answer.body);
    } catch (error) {
      span?.end({ error: String(error) });
      if (error instanceof WebhookFailure) throw error;
      this.problems.note(error);
      throw new WebhookFailure(`Post ${JSON.stringify(formatUrl(url))}: ${dialFailure(error)}`);
    } finally {
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
    }
  }

  close(): void {
    this.#plain?.destroy();
    for (const pool of this.#pools.values()) pool.destroy();
    this.#pools.clear();
  }

  #post(
    address: WebhookAddress,
    request: {
      readonly url: WebhookUrl;
      readonly config: WebhookClientConfig;
      readonly body: Uint8Array;
      readonly signal: AbortSignal;
      readonly trace: Readonly<Record<string, string>>;
      readonly again: boolean;
    },
  ): Promise<{ readonly status: number; readonly body: string }> {
    const { url, config, body, signal, trace, again } = request;
    const { host, port, serverName } = address;
    const { isSecure } = url;
    const options: https.RequestOptions = {
      method: 'POST',
      host,
      port,
      path: url.path,
      // Addresses are no server names; the certificate is checked against them all the same.
      ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
      headers: {
        host: url.authority,
        'content-type': 'application/json',
        accept: 'application/json, */*',
        'content-length': body.length,
        'user-agent': 'kube-apiserver-admission',
        ...trace,
      },
      agent: isSecure ? this.#pool(config.caBundle ?? '') : this.#plainPool(),
      signal,
    };
    return new Promise((resolve, reject) => {
      const call = isSecure ? https.request(options) : nodeHttp().request(options);
      call.once('error', (error) => {
        // The webhook may close an idle connection in the moment that it is used again.
        const isStale = call.reusedSocket && 'code' in error && error.code === 'ECONNRESET';
        if (again && isStale) resolve(this.#post(address, { ...request, again: false }));
        else reject(signal.aborted ? signal.reason : error);
      });
      call.once('response', (response) => {
        readAnswer(response, maxAnswerBytes).then(
          (text) => resolve({ status: response.statusCode ?? 0, body: text.toString('utf8') }),
          (error: unknown) => reject(signal.aborted ? signal.reason : error),
        );
      });
      call.end(body);
    });
  }

  #pool(caBundle: string): https.Agent {
    const known = this.#pools.get(caBundle);
    const pool = known ?? makePool(caBundle, this.problems);
    this.#pools.delete(caBundle);
    this.#pools.set(caBundle, pool);
    if (this.#pools.size > maxPools) {
      const [oldest, unused] = this.#pools.entries().next().value!;
      this.#pools.delete(oldest);
      unused.destroy();
    }
    return pool;
  }
}

function makePool(caBundle: string, { checkServerIdentity }: CertificateProblems): https.Agent {
  const trust = trusting(caBundle === '' ? undefined : Buffer.from(caBundle, 'base64').toString('utf8'));
  return new https.Agent({ keepAlive: true, maxSockets: maxConnections, checkServerIdentity, ...trust });
}

function parsed(text: string): Json {
  try {
    return parseShallowJson(Buffer.from(text));
  } catch (error) {
    throw new WebhookFailure(error instanceof Error ? error.message : String(error));
  }
}
