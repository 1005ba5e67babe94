import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '#base/clock.ts';
import { ApiError } from '#machinery/errors.ts';
import { sendBytes } from '../http/answer.ts';
import type { AnyRequest, AnyResponse } from '../http/any-http.ts';
import { passBody } from '../http/body.ts';
import { writeChunk } from '../http/chunks.ts';
import { hopHeaders } from '../http/hop-headers.ts';
import type { UserInfo } from '../registry/operation.ts';
import { spanHeaders, type Tracer } from '../tracing/tracer.ts';
import { dialFailure } from '../webhooks/failures.ts';
import { type RemoteServer, userHeaders } from './remote-server.ts';

/** A server that has not begun to answer after this long has not answered; watches begin at once. */
const answerLimitMs = 60_000;

const tooLate = (): ApiError => new ApiError(504, 'Timeout', 'request did not complete within the allotted timeout');

/** The server behind has a name of its own. */
const dropped: ReadonlySet<string> = new Set([...hopHeaders, 'host']);

/** Hands a request on to an aggregated server and its answer back, both as they come: watches stream. */
export async function proxyToServer(options: {
  readonly remote: RemoteServer;
  readonly request: AnyRequest;
  readonly response: AnyResponse;
  readonly user: UserInfo;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly tracer?: Tracer | undefined;
}): Promise<void> {
  const { remote, request, response, user, clock, signal, tracer } = options;
  const span = tracer?.child({ name: `HTTP ${request.method}`, kind: 'client' });
  response.once('close', () => span?.end({ attributes: { 'http.response.status_code': response.statusCode } }));
  const outgoing = openRequest(remote, request, { ...passedHeaders(request.headers, user), ...spanHeaders(span) });
  if (outgoing === undefined) return sendUnavailable(response, 'service unavailable');
  signal.addEventListener('abort', () => outgoing.destroy(), { once: true });
  passBody(request, outgoing);
  let answer: IncomingMessage;
  const limit = clock.schedule(answerLimitMs, () => outgoing.destroy(tooLate()));
  try {
    answer = await answerOf(outgoing);
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof ApiError) throw error;
    return sendUnavailable(response, `error trying to reach service: ${dialFailure(error)}`);
  } finally {
    limit.cancel();
  }
  answer.once('error', () => response.destroy());
  const headers = Object.fromEntries(Object.entries(answer.headers).filter(([name]) => !dropped.has(name)));
  response.writeHead(answer.statusCode ?? 502, headers);
  response.flushHeaders();
  for await (const chunk of answer) if (!(await writeChunk(response, chunk as Uint8Array))) return;
  response.end();
}

function openRequest(
  remote: RemoteServer,
  request: AnyRequest,
  headers: OutgoingHttpHeaders,
): ClientRequest | undefined {
  try {
    return remote.request({ method: request.method ?? 'GET', path: request.url ?? '/', headers });
  } catch {
    // Nothing is behind its service.
    return undefined;
  }
}

function answerOf(outgoing: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once('response', resolve);
    outgoing.on('error', reject);
  });
}

/** Plain words, as upstream's proxy gives them. */
export function sendUnavailable(response: AnyResponse, text: string): void {
  sendBytes(response, 503, 'text/plain; charset=utf-8', Buffer.from(`${text}\n`));
}

/** Who asks is what this server says, not what the client says. */
function passedHeaders(headers: IncomingHttpHeaders, user: UserInfo): OutgoingHttpHeaders {
  const passed: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(headers)) {
    const isOurs = name === 'authorization' || name.startsWith('x-remote-') || name.startsWith('impersonate-');
    if (value === undefined || name.startsWith(':') || dropped.has(name) || isOurs) continue;
    passed[name] = value;
  }
  return { ...passed, ...userHeaders(user) };
}

/** WebSocket and SPDY requests of aggregated resources: the two connections become one. */
export async function proxyUpgradeToServer(
  remote: RemoteServer,
  user: UserInfo,
  { request, socket, head }: { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer },
): Promise<void> {
  const { connection, upgrade } = request.headers;
  const headers = { ...passedHeaders(request.headers, user), connection, upgrade };
  const outgoing = openRequest(remote, request, headers);
  if (outgoing === undefined) throw new ApiError(503, 'ServiceUnavailable', 'service unavailable');
  const [answer, peer, first] = await new Promise<readonly [IncomingMessage, Duplex, Buffer]>((resolve, reject) => {
    outgoing.once('upgrade', (response, stream, rest) => resolve([response, stream, rest]));
    outgoing.once('response', (response) => {
      response.resume();
      reject(new ApiError(response.statusCode ?? 502, '', `the server answered ${response.statusCode} to the upgrade`));
    });
    outgoing.once('error', (error) =>
      reject(new ApiError(503, 'ServiceUnavailable', `error trying to reach service: ${dialFailure(error)}`)),
    );
    outgoing.end();
  });
  const lines = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`];
  for (let index = 0; index + 1 < answer.rawHeaders.length; index += 2)
    lines.push(`${answer.rawHeaders[index]}: ${answer.rawHeaders[index + 1]}`);
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  peer.on('error', () => socket.destroy());
  socket.on('error', () => peer.destroy());
  socket.once('close', () => peer.destroy());
  peer.once('close', () => socket.destroy());
  if (first.length > 0) socket.write(first);
  if (head.length > 0) peer.write(head);
  socket.pipe(peer).pipe(socket);
}
