import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import * as https from 'node:https';
import type { Clock } from '#base/clock.ts';
import type { Random } from '#base/random.ts';
import { trusting } from '#client/http/trust.ts';
import type { APIService } from '#kinds/generated/types/apiregistration_v1.ts';
import { readAnswer } from '../http/body.ts';
import type { UserInfo } from '../registry/operation.ts';
import type { ResourceTable } from '../resources/resource.ts';
import { resolveWebhook, type WebhookAddress } from '../webhooks/address.ts';
import type { CertificateProblems } from '../webhooks/certificates.ts';
import { dialFailure } from '../webhooks/failures.ts';

/** The identity by which this server vouches for users: a client certificate that aggregated servers trust. */
export interface ProxyIdentity {
  readonly certificate: string;
  readonly key: string;
}

export interface RemoteServerOptions {
  readonly resources: ResourceTable;
  readonly random: Random;
  readonly clock: Clock;
  readonly identity: () => ProxyIdentity | undefined;
  /** Hears what is wrong with certificates. */
  readonly problems: CertificateProblems;
}

/** Connections to one aggregated server that are kept between requests. */
const maxIdleConnections = 16;
/** Bytes of a document that an aggregated server tells of itself. */
const maxDocumentBytes = 32 * 1024 * 1024;

/** One aggregated server, as an APIService says where it is and how to trust it. */
export class RemoteServer {
  readonly spec: APIService['spec'] & object;
  readonly #options: RemoteServerOptions;
  #agent: https.Agent | undefined;
  #identity: ProxyIdentity | undefined;

  constructor(spec: APIService['spec'] & object, options: RemoteServerOptions) {
    this.spec = spec;
    this.#options = options;
  }

  /** Where a request would go right now. @throws Error when nothing is behind the service. */
  address(): WebhookAddress {
    const { name = '', namespace = '', port = 443 } = this.spec.service!;
    return resolveWebhook({ service: { name, namespace, port } }, this.#options.resources, this.#options.random);
  }

  /** Opens a request; its body is the caller's to write. @throws Error when nothing is behind the service. */
  request(options: {
    readonly method: string;
    /** Path and query as they go over the wire. */
    readonly path: string;
    readonly headers: OutgoingHttpHeaders;
  }): ClientRequest {
    const { host, port, serverName } = this.address();
    const agent = this.#agentFor(serverName);
    const { method, path, headers } = options;
    const request = https.request({
      host,
      port,
      method,
      path,
      headers: { ...headers, host: `${host}:${port}` },
      servername: serverName,
      agent,
    });
    request.once('error', (error) => this.#options.problems.note(error));
    return request;
  }

  /** A document that the server itself asks for. @throws Error with what went wrong. */
  async fetch(
    path: string,
    accept: string,
    timeoutMs: number,
  ): Promise<{ readonly status: number; readonly body: Buffer }> {
    const headers = { ...userHeaders({ name: 'system:kube-aggregator', groups: ['system:masters'] }), accept };
    const request = this.request({ method: 'GET', path, headers });
    // For the whole answer: a server that trickles is as good as one that hangs.
    const limit = this.#options.clock.schedule(timeoutMs, () =>
      request.destroy(new Error('context deadline exceeded')),
    );
    try {
      return await answerOf(request);
    } catch (error) {
      throw new Error(dialFailure(error));
    } finally {
      limit.cancel();
    }
  }

  /** Connections are made anew once the certificate has been renewed. */
  #agentFor(serverName: string): https.Agent {
    const identity = this.#options.identity();
    if (this.#agent !== undefined && this.#identity === identity) return this.#agent;
    const { caBundle = '', insecureSkipTLSVerify = false } = this.spec;
    this.#identity = identity;
    this.#agent = new https.Agent({
      keepAlive: true,
      maxFreeSockets: maxIdleConnections,
      servername: serverName,
      rejectUnauthorized: !insecureSkipTLSVerify,
      checkServerIdentity: this.#options.problems.checkServerIdentity,
      ...trusting(caBundle === '' ? undefined : Buffer.from(caBundle, 'base64').toString('utf8')),
      ...(identity === undefined ? {} : { cert: identity.certificate, key: identity.key }),
    });
    return this.#agent;
  }

  close(): void {
    this.#agent?.destroy();
  }
}

async function answerOf(request: ClientRequest): Promise<{ readonly status: number; readonly body: Buffer }> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.on('error', reject);
    request.end();
  });
  return { status: response.statusCode ?? 0, body: await readAnswer(response, maxDocumentBytes) };
}

/** Who asks, as an aggregated server learns it (KEP of the authenticating proxy). */
export function userHeaders({ name, uid, groups, extra = {} }: UserInfo): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {
    'x-remote-user': name,
    'x-remote-group': [...groups],
    ...(uid === undefined || uid === '' ? {} : { 'x-remote-uid': uid }),
  };
  for (const [key, values] of Object.entries(extra)) headers[`x-remote-extra-${escapedKey(key)}`] = [...values];
  return headers;
}

/** Keys are header names: what cannot stand in one is written in percent. */
function escapedKey(key: string): string {
  return [...Buffer.from(key)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[A-Za-z0-9!#$&'*+.^_`|~-]/.test(character)
        ? character
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('')
    .toLowerCase();
}
