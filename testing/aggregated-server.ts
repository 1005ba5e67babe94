import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { createAuthority, issueLeaf } from '#apiserver/certificates/authority.ts';
import { systemClock } from '#base/clock.ts';
import type { Client } from '#client/client.ts';
import { APIService, Service } from '#kinds/generated/handles.ts';
import type { Kind } from '#kinds/kind.ts';
import type { ApiObject } from '#machinery/meta.ts';

export const group = 'flowers.example.org';
export const Rose: Kind = { group, version: 'v1', kind: 'Rose', resource: 'roses', namespaced: true };
const base = `/apis/${group}/v1`;
const verbs = ['create', 'delete', 'get', 'list', 'watch'];
const resources = [{ name: 'roses', singularName: 'rose', namespaced: true, kind: 'Rose', verbs }];

/** An API server of its own for one kind, as simple as one can be: it knows no patches and deletes one at a time. */
export class FlowerServer {
  /** While it is set no request is answered. */
  hangs = false;
  readonly roses = new Map<string, ApiObject>();
  /** Who asked to upgrade a connection, and to what. */
  readonly upgrades: { readonly user: string | undefined; readonly protocol: string | undefined }[] = [];
  /** The traces that requests were part of. */
  readonly traces: string[] = [];
  readonly #watchers = new Set<ServerResponse>();
  readonly #server: ReturnType<typeof createServer>;
  readonly #caBundle: string;
  #revision = 1;

  private constructor(pair: { readonly cert: string; readonly key: string }, caBundle: string) {
    this.#caBundle = caBundle;
    this.#server = createServer(pair, (request, response) => void this.#answer(request, response));
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex) => this.#upgrade(request, socket));
  }

  static async start(): Promise<FlowerServer> {
    const now = systemClock().now();
    const authority = await createAuthority('a garden', now);
    const leaf = { commonName: 'flowers', hosts: ['flowers.default.svc'], usage: 'server', now } as const;
    const serving = await issueLeaf(authority, leaf);
    const pair = { cert: serving.certificate, key: serving.key };
    const server = new FlowerServer(pair, Buffer.from(authority.certificate).toString('base64'));
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  /** Makes a cluster hand on requests for roses. */
  async register(client: Client): Promise<void> {
    const { port } = this.#server.address() as AddressInfo;
    await client.create(Service, {
      metadata: { name: 'flowers', namespace: 'default' },
      spec: { type: 'ExternalName', externalName: '127.0.0.1' },
    });
    await client.create(APIService, {
      metadata: { name: `v1.${group}` },
      spec: {
        group,
        version: 'v1',
        groupPriorityMinimum: 2000,
        versionPriority: 10,
        service: { namespace: 'default', name: 'flowers', port },
        caBundle: this.#caBundle,
      },
    });
  }

  /** Has the cluster look at once whether it is there. */
  async touch(client: Client): Promise<void> {
    const body = { metadata: { annotations: { touched: String(++this.#revision) } } };
    await client.patch(Service, { name: 'flowers', namespace: 'default' }, { type: 'merge', body });
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.hangs) return;
    const { traceparent } = request.headers;
    if (typeof traceparent === 'string') this.traces.push(traceparent);
    const url = new URL(request.url ?? '/', 'https://flowers');
    const match = new RegExp(`^${base}(?:/namespaces/([^/]+))?/roses(?:/([^/]+))?$`).exec(url.pathname);
    const tell = (code: number, body: object): void => {
      response.writeHead(code, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    const failure = (code: number, reason: string): void =>
      tell(code, { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, code, message: reason });
    if (url.pathname === base) return tell(200, { kind: 'APIResourceList', groupVersion: `${group}/v1`, resources });
    if (match === null) return failure(404, 'NotFound');
    const [, namespace, name] = match;
    if (request.method === 'POST') return tell(201, this.#put(JSON.parse(await textOf(request)), namespace!));
    if (name !== undefined) {
      const key = `${namespace}/${name}`;
      const found = this.roses.get(key);
      if (found === undefined) return failure(404, 'NotFound');
      if (request.method === 'DELETE') this.#remove(key, found);
      return tell(200, found);
    }
    if (request.method !== 'GET') return failure(405, 'MethodNotAllowed');
    if (url.searchParams.get('watch') === 'true') return this.#watch(response);
    const items = [...this.roses.values()].filter(
      ({ metadata }) => namespace === undefined || metadata.namespace === namespace,
    );
    const metadata = { resourceVersion: String(this.#revision) };
    tell(200, { kind: 'RoseList', apiVersion: `${group}/v1`, metadata, items });
  }

  #put(object: ApiObject, namespace: string): ApiObject {
    const { name = '' } = object.metadata;
    const resourceVersion = String(++this.#revision);
    const metadata = { ...object.metadata, namespace, uid: `rose-${resourceVersion}`, resourceVersion };
    const rose = { ...object, metadata };
    this.roses.set(`${namespace}/${name}`, rose);
    this.#tell('ADDED', rose);
    return rose;
  }

  #remove(key: string, rose: ApiObject): void {
    this.roses.delete(key);
    this.#tell('DELETED', { ...rose, metadata: { ...rose.metadata, resourceVersion: String(++this.#revision) } });
  }

  #watch(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    this.#watchers.add(response);
    response.once('close', () => this.#watchers.delete(response));
  }

  #tell(type: string, object: ApiObject): void {
    for (const watcher of this.#watchers) watcher.write(`${JSON.stringify({ type, object })}\n`);
  }

  #upgrade({ headers }: IncomingMessage, socket: Duplex): void {
    const { upgrade } = headers;
    this.upgrades.push({ user: headers['x-remote-user'] as string | undefined, protocol: upgrade });
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: ${upgrade}\r\n\r\n`);
    socket.pipe(socket);
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}
