import type { Pod as PodObject } from '#kinds/generated/types/core_v1.ts';
import { badRequest, fieldError, invalid } from '#machinery/errors.ts';
import type { LogRequest } from '#machinery/node-api.ts';
import { negotiate, type UpgradeRequest } from '#streaming/negotiate.ts';
import { WebSocketConnection } from '#streaming/websocket/connection.ts';
import { writeChunk } from '../http/chunks.ts';
import type { Exchange } from '../http/handler.ts';
import { isTrue, type ResourceRequest } from '../http/request-info.ts';
import type { ApiServer } from '../server.ts';
import { connectedNode, containerOf, existingPod, type NodeLookup, scheduledPod } from './target.ts';

/** GET of a pod's `log`: plain text, followed when asked. */
export async function serveLog(exchange: Exchange, info: ResourceRequest, nodes: NodeLookup): Promise<void> {
  const { server, query, response, signal } = exchange;
  const pod = existingPod(server, info);
  const request = logRequest(info, pod, query);
  // Where a pod is nowhere yet, nothing has been said.
  if ((pod.spec.nodeName ?? '') === '') return sendNothing(response);
  const node = connectedNode(nodes, pod.spec.nodeName!);
  const lines = await node.logs(request, signal);
  response.writeHead(200, { 'content-type': 'text/plain', 'cache-control': 'no-cache, private' });
  response.flushHeaders();
  for await (const chunk of lines) if (!(await writeChunk(response, chunk))) return;
  response.end();
}

function sendNothing(response: Exchange['response']): void {
  response.writeHead(204, { 'cache-control': 'no-cache, private' });
  response.end();
}

const logProtocols = ['binary.k8s.io', 'base64.binary.k8s.io'];

/** The same log for clients that can only speak WebSocket: a message for each chunk. */
export async function serveLogOverWebSocket(
  options: {
    readonly server: ApiServer;
    readonly nodes: NodeLookup;
    readonly info: ResourceRequest;
    readonly query: URLSearchParams;
    readonly signal: AbortSignal;
  } & UpgradeRequest,
): Promise<void> {
  const { server, nodes, info, query, signal, request, socket, head } = options;
  const { pod, node } = scheduledPod(server, nodes, info);
  const agreement = negotiate(request, { webSocket: logProtocols, spdy: [] });
  const lines = await node.logs(logRequest(info, pod, query), signal);
  socket.write(agreement.answer);
  const connection = new WebSocketConnection(socket, { role: { side: 'server' }, head });
  const isText = agreement.protocol === 'base64.binary.k8s.io';
  for await (const chunk of lines) {
    await connection.send(
      isText ? 'text' : 'binary',
      isText ? Buffer.from(Buffer.from(chunk).toString('base64')) : chunk,
    );
  }
  connection.close();
}

function logRequest({ namespace, name }: ResourceRequest, pod: PodObject, query: URLSearchParams): LogRequest {
  const flag = (field: string): boolean => isTrue(query.get(field));
  const tailLines = count(query, 'tailLines', 0);
  const limitBytes = count(query, 'limitBytes', 1);
  const sinceSeconds = count(query, 'sinceSeconds', 1);
  const sinceTime = query.get('sinceTime');
  if (sinceSeconds !== undefined && sinceTime !== null)
    throw badRequest('at most one of `sinceTime` or `sinceSeconds` may be specified');
  const stream = query.get('stream');
  return {
    namespace,
    pod: name,
    container: containerOf(pod, query.get('container') ?? undefined),
    follow: flag('follow'),
    previous: flag('previous'),
    timestamps: flag('timestamps'),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
    ...(sinceSeconds === undefined ? {} : { sinceSeconds }),
    ...(sinceTime === null ? {} : { sinceTime }),
    ...(stream === null ? {} : { stream }),
  };
}

function count(query: URLSearchParams, name: string, least: number): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw badRequest(`invalid ${name}: ${JSON.stringify(text)}`);
  if (value < least) {
    const detail = least === 0 ? 'must be greater than or equal to 0' : 'must be greater than 0';
    throw invalid({ group: '', kind: 'PodLogOptions' }, '', [fieldError.invalid(name, value, detail)]);
  }
  return value;
}
