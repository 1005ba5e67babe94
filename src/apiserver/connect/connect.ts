import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Log } from '#base/log.ts';
import { ApiError, badRequest } from '#machinery/errors.ts';
import type { NodeApi, PodTarget } from '#machinery/node-api.ts';
import { refuseUpgrade } from '#streaming/negotiate.ts';
import { servePortForward } from '#streaming/port-forward/server.ts';
import { commandStreams, serveRemoteCommand } from '#streaming/remote-command/server.ts';
import { proxyUpgradeToServer } from '../aggregation/proxy.ts';
import type { AuditRecord } from '../audit/auditor.ts';
import { statusOfError } from '../http/answer.ts';
import { beginAudit } from '../http/audit.ts';
import { authorizePath, authorizeUnknown, type Routes } from '../http/handler.ts';
import { certificateEndOf, identify } from '../http/identity.ts';
import type { ServerMetrics } from '../http/metrics.ts';
import { queryOptions } from '../http/options.ts';
import { type RequestInfo, type ResourceRequest, requestInfo, requestTarget } from '../http/request-info.ts';
import { RequestMeter } from '../http/request-meter.ts';
import type { UserInfo } from '../registry/operation.ts';
import type { ServedResource } from '../resources/resource.ts';
import type { ApiServer } from '../server.ts';
import { admitConnection } from './admission.ts';
import { serveLog, serveLogOverWebSocket } from './log.ts';
import { proxyRequest, proxyUpgrade } from './proxy.ts';
import { containerOf, type NodeLookup, scheduledPod } from './target.ts';

/** Subresources that reach into a node, over plain HTTP. */
export function connectRoutes(nodes: NodeLookup): Routes['connect'] {
  return async (exchange, info, resource) => {
    const path = `${resource.kind.group}/${resource.kind.resource}/${info.subresource}`;
    switch (path) {
      case '/pods/log':
        await serveLog(exchange, info, nodes);
        return true;
      case '/pods/exec':
      case '/pods/attach':
      case '/pods/portforward':
        await admitConnection(exchange.server, { ...exchange, info, resource });
        // What is wrong with the question itself is told first.
        if (info.subresource === 'portforward') scheduledPod(exchange.server, nodes, info);
        else runningContainer(exchange.server, nodes, info, exchange.query.get('container') ?? undefined);
        throw badRequest('Upgrade request required');
      case '/pods/proxy':
      case '/services/proxy':
      case '/nodes/proxy':
        await admitConnection(exchange.server, { ...exchange, info, resource });
        await proxyRequest(exchange, info, nodes);
        return true;
      default:
        return false;
    }
  };
}

/** WebSocket and SPDY requests: `exec`, `attach`, `portforward`, and upgrades through a proxy. */
export function upgradeHandler(
  server: ApiServer,
  nodes: NodeLookup,
  { metrics, log }: { readonly metrics: ServerMetrics; readonly log: Log },
): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  return (request, socket, head) => {
    // A client that vanishes must not end the process.
    socket.on('error', () => {});
    let meter: RequestMeter | undefined;
    let code = 101;
    socket.once('close', () => meter?.finish({ code, bytes: 0, aborted: false }));
    const measure: Measure = (info, query) => {
      meter = new RequestMeter(metrics, server.environment.clock, info, query);
      return meter;
    };
    serveUpgrade(server, nodes, { request, socket, head }, measure).catch((error: unknown) => {
      const refusal = error instanceof ApiError ? error : ApiError.fromStatus(statusOfError(error, log));
      code = refusal.code;
      if (code === 401) meter?.authenticated(undefined);
      refuseUpgrade(socket, refusal);
    });
  };
}

/** Begins to measure a request. */
type Measure = (info: RequestInfo, query: URLSearchParams) => RequestMeter;

interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** Bytes that came behind the request's head. */
  readonly head: Buffer;
}

async function serveUpgrade(server: ApiServer, nodes: NodeLookup, upgrade: Upgrade, measure: Measure): Promise<void> {
  const { request, socket, head } = upgrade;
  const { path: place, query } = requestTarget(request.url ?? '/');
  const info = requestInfo(request.method ?? 'GET', place, query);
  const meter = measure(info, query);
  const remote = server.aggregator?.remoteOf(place);
  if (remote !== undefined) {
    const user = await identify(server.registry, request, info);
    if (info.type === 'path') await authorizePath({ server, user }, info);
    else await authorizeUnknown({ server, user }, info);
    return proxyUpgradeToServer(remote.server, user, { request, socket, head });
  }
  const resource = info.type === 'resource' ? server.resources.get(info.group, info.version, info.resource) : undefined;
  if (info.type !== 'resource' || resource === undefined)
    throw new ApiError(404, 'NotFound', 'the server could not find the requested resource');
  const user = await authorizeUpgrade({ server, request, query, meter }, info, resource);
  const { clock } = server.environment;
  const signal = closeSignal(socket);
  await admitConnection(server, { info, resource, user, query: query, signal });
  const path = `${resource.kind.group}/${resource.kind.resource}/${info.subresource}`;
  if (path === '/pods/exec' || path === '/pods/attach') {
    const { node, target } = runningContainer(server, nodes, info, query.get('container') ?? undefined);
    const streams = commandStreams(query);
    const command = query.getAll('command');
    if (path === '/pods/exec' && command.length === 0) throw badRequest('you must specify a command');
    const start = () =>
      path === '/pods/exec'
        ? node.exec({ ...target, ...streams, command }, signal)
        : node.attach({ ...target, ...streams }, signal);
    return serveRemoteCommand({ ...upgrade, streams, start, clock });
  }
  if (path === '/pods/portforward') {
    const { pod, node } = scheduledPod(server, nodes, info);
    const { namespace, name } = info;
    return servePortForward({
      ...upgrade,
      open: (port) => node.portForward({ namespace, pod: name, port }, signal),
      podName: pod.metadata.name ?? name,
      clock,
    });
  }
  if (path === '/pods/log') return serveLogOverWebSocket({ server, nodes, info, query: query, signal, ...upgrade });
  if (info.subresource === 'proxy') return proxyUpgrade(server, info, upgrade);
  throw badRequest('this resource cannot be upgraded');
}

const startsSomething = new Set(['exec', 'attach', 'portforward']);

async function authorizeUpgrade(
  {
    server,
    request,
    query,
    meter,
  }: {
    readonly server: ApiServer;
    readonly request: IncomingMessage;
    readonly query: URLSearchParams;
    readonly meter: RequestMeter;
  },
  info: ResourceRequest,
  resource: ServedResource,
): Promise<UserInfo> {
  const user = await identify(server.registry, request, info);
  meter.authenticated(user, certificateEndOf(request));
  const audit = server.auditor === undefined ? undefined : beginAudit(server.auditor, request, info, user);
  if (audit !== undefined) followStream(audit, request);
  const { verb, subresource, namespace, name } = info;
  const operation = {
    resource,
    subresource,
    namespace,
    name,
    user,
    options: queryOptions(query, verb),
    body: undefined,
    signal: new AbortController().signal,
    warn: () => {},
    annotate: audit?.annotate,
  };
  await meter.authorizing(() => server.authorize({ ...operation, verb }));
  // A WebSocket starts with GET; what it does is still a creation (KEP-4006).
  if (startsSomething.has(subresource) && verb === 'get') await server.authorize({ ...operation, verb: 'create' });
  return user;
}

/** A stream's record ends with its connection, whatever becomes of it. */
function followStream(audit: AuditRecord, { socket }: IncomingMessage): void {
  audit.started();
  socket.once('close', () => audit.complete(101));
}

function closeSignal(socket: Duplex): AbortSignal {
  const stop = new AbortController();
  socket.once('close', () => stop.abort(new Error('the client went away')));
  return stop.signal;
}

function runningContainer(
  server: ApiServer,
  nodes: NodeLookup,
  info: ResourceRequest,
  wanted: string | undefined,
): { readonly node: NodeApi; readonly target: PodTarget } {
  const { pod, node } = scheduledPod(server, nodes, info);
  const { namespace, name } = info;
  if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed')
    throw badRequest(`cannot exec into a container in a completed pod; current phase is ${pod.status.phase}`);
  return { node, target: { namespace, pod: name, container: containerOf(pod, wanted) } };
}
