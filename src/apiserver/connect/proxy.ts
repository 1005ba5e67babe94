import type { IncomingHttpHeaders, IncomingMessage, RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { randomInteger } from '#base/random.ts';
import { EndpointSlice, Pod, Service } from '#kinds/generated/handles.ts';
import type { Pod as PodObject, Service as ServiceObject } from '#kinds/generated/types/core_v1.ts';
import type { EndpointSlice as EndpointSliceObject } from '#kinds/generated/types/discovery_v1.ts';
import { ApiError, badRequest, notFound } from '#machinery/errors.ts';
import type { NodeApi } from '#machinery/node-api.ts';
import type { UpgradeRequest } from '#streaming/negotiate.ts';
import { nodeHttp } from '#streaming/node-http.ts';
import type { AnyResponse } from '../http/any-http.ts';
import { passBody, readBody } from '../http/body.ts';
import { writeChunk } from '../http/chunks.ts';
import type { Exchange } from '../http/handler.ts';
import { hopHeaders } from '../http/hop-headers.ts';
import type { ResourceRequest } from '../http/request-info.ts';
import { objectKey } from '../resources/storage-keys.ts';
import type { ApiServer } from '../server.ts';
import { isAllowedAddress } from './allowed-address.ts';
import { rewriteLink, rewriteLinks } from './html-links.ts';
import { agentToAsk, type NodeLookup } from './target.ts';

/** A backend that does not answer is given up after this long. */
const backendTimeoutMs = 60_000;

interface Backend {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
}

/** `proxy` of a pod, a service or a node: the request goes on to where the name points. */
export async function proxyRequest(exchange: Exchange, info: ResourceRequest, nodes: NodeLookup): Promise<void> {
  const { server } = exchange;
  const nodeName = info.resource === 'nodes' ? splitName(info.name).name : undefined;
  if (nodeName !== undefined) return proxyToNode(exchange, info, agentToAsk(server, nodes, nodeName));
  const backend = backendOf(server, info);
  if (info.rest === '' && (exchange.request.method === 'GET' || exchange.request.method === 'HEAD'))
    return redirectToSlash(exchange);
  await forward(exchange, backend, info);
}

/** Relative links of the page behind the proxy need its root to end in a slash. */
function redirectToSlash({ request, response }: Exchange): void {
  const [path = '', query] = (request.url ?? '').split('?');
  response.writeHead(301, { location: `${path}/${query === undefined ? '' : `?${query}`}` });
  response.end();
}

function pathAndQuery({ request }: Exchange, { rest }: ResourceRequest): string {
  const query = (request.url ?? '').split('?')[1];
  const path = encodeURI(rest.startsWith('/') ? rest : `/${rest}`);
  return query === undefined ? path : `${path}?${query}`;
}

async function proxyToNode(exchange: Exchange, info: ResourceRequest, node: NodeApi): Promise<void> {
  const { request, response, signal } = exchange;
  const body = await readBody(request);
  const answer = await node.http(
    {
      method: request.method ?? 'GET',
      path: pathAndQuery(exchange, info),
      headers: plainHeaders(request.headers),
      body,
    },
    signal,
  );
  response.writeHead(answer.status, answer.headers);
  for await (const chunk of answer.body) if (!(await writeChunk(response, chunk))) return;
  response.end();
}

function plainHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith(':') || hopHeaders.has(name) || name === 'authorization') continue;
    plain[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return plain;
}

function forward(exchange: Exchange, { scheme, host, port }: Backend, info: ResourceRequest): Promise<void> {
  const path = pathAndQuery(exchange, info);
  const { request, response } = exchange;
  const options: RequestOptions & { rejectUnauthorized?: boolean } = {
    host,
    port,
    path,
    method: request.method,
    headers: {
      ...plainHeaders(request.headers),
      host: `${host}:${port}`,
      'x-forwarded-uri': `${proxyPrefix(exchange, info.rest)}${path.split('?')[0]}`,
    },
    timeout: backendTimeoutMs,
    rejectUnauthorized: false,
  };
  return new Promise((resolve, reject) => {
    const outgoing = (scheme === 'https' ? httpsRequest : nodeHttp().request)(options, (answer) => {
      answer.once('error', () => response.destroy());
      passOn(answer, response, proxyPrefix(exchange, info.rest)).then(resolve, reject);
    });
    outgoing.once('timeout', () => outgoing.destroy(new Error('timed out')));
    outgoing.once('error', (error) => {
      if (response.headersSent) response.destroy();
      reject(new ApiError(503, 'ServiceUnavailable', `error trying to reach service: ${error.message}`));
    });
    exchange.signal.addEventListener('abort', () => outgoing.destroy(), { once: true });
    passBody(request, outgoing);
  });
}

/** The path up to and with `proxy`: what absolute links of the page behind need in front. */
function proxyPrefix({ request }: Exchange, rest: string): string {
  const segments = (request.url ?? '').split('?')[0]!.split('/');
  return segments.slice(0, segments.length - (rest.split('/').length - 1)).join('/');
}

/** Pages larger than this are passed on with their links as they are. */
const maxRewrittenBytes = 4 * 1024 * 1024;

async function passOn(answer: IncomingMessage, response: AnyResponse, prefix: string): Promise<void> {
  const headers = Object.fromEntries(Object.entries(answer.headers).filter(([name]) => !hopHeaders.has(name)));
  if (typeof headers['location'] === 'string') headers['location'] = rewriteLink(headers['location'], prefix);
  const isPage =
    /^text\/html\b/.test(answer.headers['content-type'] ?? '') && answer.headers['content-encoding'] === undefined;
  const declared = Number(answer.headers['content-length'] ?? 0);
  if (!isPage || declared > maxRewrittenBytes) {
    response.writeHead(answer.statusCode ?? 502, headers);
    for await (const chunk of answer) if (!(await writeChunk(response, chunk as Uint8Array))) return;
    response.end();
    return;
  }
  const parts: Buffer[] = [];
  for await (const chunk of answer) parts.push(chunk as Buffer);
  const body = Buffer.from(rewriteLinks(Buffer.concat(parts).toString(), prefix));
  response.writeHead(answer.statusCode ?? 502, { ...headers, 'content-length': String(body.length) });
  response.end(body);
}

/** `scheme:name:port`, `name:port` or `name`. */
function splitName(text: string): { readonly scheme: 'http' | 'https'; readonly name: string; readonly port: string } {
  const parts = text.split(':');
  if (parts.length > 3) throw badRequest(`invalid name: ${JSON.stringify(text)}`);
  if (parts.length === 3) {
    const [scheme = '', name = '', port = ''] = parts;
    if (scheme !== '' && scheme !== 'http' && scheme !== 'https')
      throw badRequest(`invalid scheme in ${JSON.stringify(text)}`);
    return { scheme: scheme === 'https' ? 'https' : 'http', name, port };
  }
  return { scheme: 'http', name: parts[0] ?? '', port: parts[1] ?? '' };
}

function backendOf(server: ApiServer, info: ResourceRequest): Backend {
  return info.resource === 'pods' ? podBackend(server, info) : serviceBackend(server, info);
}

function podBackend(server: ApiServer, { namespace, name: text }: ResourceRequest): Backend {
  const { scheme, name, port } = splitName(text);
  const pod = server.resources.of(Pod).storage!.cache.get(objectKey({ namespace, name }))?.value.object as
    | PodObject
    | undefined;
  if (pod === undefined) throw notFound(Pod, name);
  const host = pod.status?.podIP ?? '';
  if (!isAllowedAddress(host)) throw badRequest('address not allowed');
  const first = pod.spec.containers.flatMap(({ ports = [] }) => ports)[0]?.containerPort;
  return { scheme, host, port: port === '' ? (first ?? 80) : podPort(pod, port) };
}

function podPort(pod: PodObject, port: string): number {
  if (/^\d+$/.test(port)) return Number(port);
  const named = pod.spec.containers.flatMap(({ ports = [] }) => ports).find(({ name }) => name === port);
  if (named === undefined) throw badRequest(`no port named ${JSON.stringify(port)} in pod ${pod.metadata.name}`);
  return named.containerPort;
}

/** A ready endpoint of the service, at random. */
function serviceBackend(server: ApiServer, { namespace, name: text }: ResourceRequest): Backend {
  const { scheme, name, port } = splitName(text);
  const service = server.resources.of(Service).storage!.cache.get(objectKey({ namespace, name }))?.value.object as
    | ServiceObject
    | undefined;
  if (service === undefined) throw notFound(Service, name);
  const ports = service.spec.ports ?? [];
  const chosen =
    port === ''
      ? ports.length === 1
        ? ports[0]
        : undefined
      : ports.find((candidate) => candidate.name === port || String(candidate.port) === port);
  if (chosen === undefined)
    throw new ApiError(
      503,
      'ServiceUnavailable',
      `no service port ${JSON.stringify(port)} found for service ${JSON.stringify(name)}`,
    );
  const candidates: { host: string; port: number }[] = [];
  for (const { value } of server.resources.of(EndpointSlice).storage!.cache.entries(namespace)) {
    const slice = value.object as EndpointSliceObject;
    if (slice.metadata.labels?.['kubernetes.io/service-name'] !== name) continue;
    const target = slice.ports?.find((candidate) => (candidate.name ?? '') === (chosen.name ?? ''))?.port;
    if (target === undefined) continue;
    for (const endpoint of slice.endpoints ?? [])
      if (endpoint.conditions?.ready !== false) candidates.push({ host: endpoint.addresses[0]!, port: target });
  }
  if (candidates.length === 0)
    throw new ApiError(503, 'ServiceUnavailable', `no endpoints available for service ${JSON.stringify(name)}`);
  return { scheme, ...candidates[randomInteger(server.environment.random, candidates.length)]! };
}

/** WebSockets and other upgrades through a proxy: the bytes go on as they come. */
export async function proxyUpgrade(
  server: ApiServer,
  info: ResourceRequest,
  { request, socket, head }: UpgradeRequest,
): Promise<void> {
  if (info.resource === 'nodes') throw badRequest('upgrades through a node are not supported');
  const { host, port } = backendOf(server, info);
  const backend = connect({ host, port });
  const query = (request.url ?? '').split('?')[1];
  const path = `${encodeURI(info.rest.startsWith('/') ? info.rest : `/${info.rest}`)}${query === undefined ? '' : `?${query}`}`;
  await new Promise<void>((resolve, reject) => {
    backend.once('connect', resolve);
    backend.once('error', (error) =>
      reject(new ApiError(503, 'ServiceUnavailable', `error trying to reach service: ${error.message}`)),
    );
  });
  backend.on('error', () => socket.destroy());
  const headers = {
    ...plainHeaders(request.headers),
    connection: 'Upgrade',
    upgrade: request.headers.upgrade ?? '',
    host: `${host}:${port}`,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  backend.write(`${request.method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
  backend.write(head);
  socket.pipe(backend).pipe(socket);
  socket.once('close', () => backend.destroy());
  backend.once('close', () => socket.destroy());
}
