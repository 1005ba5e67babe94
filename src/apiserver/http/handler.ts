import type { Log } from '#base/log.ts';
import { ApiError, badRequest, type Status } from '#machinery/errors.ts';
import { Emptied } from '#machinery/sent-empty.ts';
import type { RemoteApi } from '../aggregation/aggregator.ts';
import { proxyToServer, sendUnavailable } from '../aggregation/proxy.ts';
import type { AuditRecord } from '../audit/auditor.ts';
import { AccessDenied, refusalReason, requireAllowed } from '../authorization/authorizer.ts';
import type { Permit } from '../fairness/level.ts';
import type { Operation, OperationOptions, Result, UserInfo } from '../registry/operation.ts';
import type { ServedResource } from '../resources/resource.ts';
import type { ApiServer } from '../server.ts';
import type { Span } from '../tracing/tracer.ts';
import { type Answering, addHeaders, sendResult, sendStatus, statusOfError } from './answer.ts';
import type { AnyRequest, AnyResponse } from './any-http.ts';
import { auditRefusal, beginAudit, numberRequest } from './audit.ts';
import { readBody } from './body.ts';
import type { RequestDeadlines } from './deadlines.ts';
import { decodeDeleteOptions, decodeObject, decodePatch, expectedKind } from './decode.ts';
import { answerFormat, refusalFormat } from './format.ts';
import { certificateEndOf, identify } from './identity.ts';
import type { ServerMetrics } from './metrics.ts';
import { type AnswerFormat, bodyEncoding, mediaTypes, RouterRefusal, unsupportedMediaType } from './negotiation.ts';
import { deletionOptions, patchTypeOf, queryOptions } from './options.ts';
import { sendPlainFailure } from './plain-failures.ts';
import {
  accessOf,
  type PathRequest,
  type RequestInfo,
  type ResourceRequest,
  requestInfo,
  requestTarget,
} from './request-info.ts';
import { RequestMeter } from './request-meter.ts';
import { methodNotAllowed, nothingThere, unservedReason } from './served-methods.ts';
import type { IncludeObject } from './table.ts';
import { traceRequest } from './trace.ts';
import { sendWatch, sendWatchFailure } from './watch.ts';
import { checkWriteOptions } from './write-options.ts';

/** One request with all that was worked out about it on the way in. */
export interface Exchange {
  readonly server: ApiServer;
  readonly request: AnyRequest;
  readonly response: AnyResponse;
  readonly query: URLSearchParams;
  readonly user: UserInfo;
  /** The seats of the request; a watch gives them back when it has begun. */
  readonly permit: Permit | undefined;
  /** What the request takes is told to it. */
  readonly meter: RequestMeter;
  /** What is noted of the request, where somebody wants that. */
  readonly audit: AuditRecord | undefined;
  readonly metrics: ServerMetrics;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
}

/** Routes that are not about a stored object: streams into nodes, and paths outside the resources. */
export interface Routes {
  /** Streaming subresources (`log`, `exec`, `proxy`, …). Returns false when it is none of them. */
  readonly connect: (exchange: Exchange, info: ResourceRequest, resource: ServedResource) => Promise<boolean>;
  readonly path: (exchange: Exchange, info: PathRequest) => Promise<void>;
}

const clientGone = new ApiError(499, '', 'the client went away');

/** What a request meets on its way. */
export interface Handling {
  readonly server: ApiServer;
  readonly routes: Routes;
  readonly metrics: ServerMetrics;
  readonly log: Log;
  readonly deadlines: RequestDeadlines;
}

const tooLate = new ApiError(504, 'Timeout', 'Timeout: request did not complete within the allotted timeout');

/** The way of a request over HTTP, from its headers to its last byte. Never throws. */
export async function handle(
  { server, routes, metrics, log, deadlines }: Handling,
  request: AnyRequest,
  response: AnyResponse,
): Promise<void> {
  const gone = new AbortController();
  let query: URLSearchParams | undefined;
  const refuse = (status: Status): void =>
    sendStatus(response, status, refusalFormat({ server, request, response, query }));
  let meter: RequestMeter | undefined;
  let span: Span | undefined;
  let permit: Permit | undefined;
  let audit: AuditRecord | undefined;
  let leave: (() => void) | undefined;
  let inTime: (() => void) | undefined;
  response.once('close', () => {
    const aborted = !response.writableFinished;
    if (aborted) gone.abort(clientGone);
    meter?.finish({ code: response.statusCode, bytes: response.sentBytes ?? 0, aborted });
    span?.end(traceEnd(response.statusCode, audit));
    audit?.complete(response.statusCode);
  });
  try {
    numberRequest(request, response, server.registry.environment.random);
    const target = requestTarget(request.url ?? '/');
    const { path } = target;
    query = target.query;
    const info = requestInfo(request.method ?? 'GET', path, query);
    meter = new RequestMeter(metrics, server.environment.clock, info, query);
    inTime = deadlines.begin(info, query, () => {
      if (response.headersSent) response.destroy();
      else refuse(tooLate.status);
      gone.abort(tooLate);
    });
    const identified = identify(server.registry, request, info);
    const user = identified instanceof Promise ? await identified : identified;
    meter.authenticated(user, certificateEndOf(request));
    if (server.tracer !== undefined) span = traceRequest(server.tracer, request, info, user);
    audit = server.auditor === undefined ? undefined : beginAudit(server.auditor, request, info, user);
    if (audit?.stored !== undefined) await audit.stored;
    leave = server.inFlight?.enter(info, user);
    const admitted = server.fairness?.admit(info, user, query, gone.signal);
    permit = admitted instanceof Promise ? await admitted : admitted;
    if (permit !== undefined) {
      meter.admitted(permit);
      addHeaders(response, permit.flow.headers);
    }
    const remote = server.aggregator?.remoteOf(path);
    if (remote !== undefined) {
      // How long another server takes is no business of this one's seats.
      meter.leaveSeats();
      return await serveRemote({ server, request, response, user, audit, meter, signal: gone.signal }, info, remote);
    }
    const { signal } = gone;
    const exchange: Exchange = { server, request, response, query, user, signal, permit, meter, audit, metrics };
    if (info.type === 'path') await servePath(exchange, routes, info);
    else await serveResource(exchange, routes, info);
  } catch (error) {
    if (error instanceof ApiError && error.code === 401) meter?.authenticated(undefined);
    audit?.failed(error);
    if (audit === undefined && server.auditor !== undefined && error instanceof ApiError)
      auditRefusal(server.auditor, request, error);
    if (gone.signal.aborted) return;
    if (error instanceof AccessDenied && !response.headersSent)
      addHeaders(response, { 'x-content-type-options': 'nosniff' });
    if (response.headersSent) response.destroy();
    else if (!sendPlainFailure(error, { request, response, resources: server.resources }))
      refuse(statusOfError(error, log));
  } finally {
    leave?.();
    inTime?.();
    meter?.leaveSeats();
  }
}

function traceEnd(code: number, audit: AuditRecord | undefined): Parameters<Span['end']>[0] {
  const attributes = { 'http.response.status_code': code, ...(audit === undefined ? {} : { 'audit-id': audit.id }) };
  return { attributes, ...(code < 500 ? {} : { error: `answered ${code}` }) };
}

/** Text as UTF-8, which Node otherwise cuts to one byte a character. */
function headerText(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** Requests to groups that another server answers for: whoever may ask here is named there. */
async function serveRemote(
  exchange: Pick<Exchange, 'server' | 'request' | 'response' | 'user' | 'audit' | 'meter' | 'signal'>,
  info: RequestInfo,
  remote: RemoteApi,
): Promise<void> {
  if (info.type === 'path') await authorizePath(exchange, info);
  else await authorizeUnknown(exchange, info);
  if (!remote.isAvailable) return sendUnavailable(exchange.response, 'service unavailable');
  const { environment, tracer } = exchange.server;
  await proxyToServer({ ...exchange, clock: environment.clock, remote: remote.server, tracer });
}

async function servePath(exchange: Exchange, routes: Routes, info: PathRequest): Promise<void> {
  await authorizePath(exchange, info);
  await routes.path(exchange, info);
}

/** Who asks, and where the decision is noted. */
type Asking = Pick<Exchange, 'server' | 'user'> & Partial<Pick<Exchange, 'audit' | 'meter'>>;

export async function authorizePath(asking: Asking, info: PathRequest): Promise<void> {
  const { meter } = asking;
  await (meter === undefined ? requirePath(asking, info) : meter.authorizing(() => requirePath(asking, info)));
}

async function requirePath({ server, user, audit }: Asking, info: PathRequest): Promise<void> {
  const attributes = { ...accessOf(info), user };
  const { outcome, reason } = await server.authorizer.authorize(attributes);
  audit?.annotate('authorization.k8s.io/decision', outcome === 'allow' ? 'allow' : 'forbid');
  audit?.annotate('authorization.k8s.io/reason', reason);
  if (outcome !== 'allow') {
    throw new AccessDenied(new ApiError(403, 'Forbidden', `forbidden: ${refusalReason(attributes, reason)}`, {}));
  }
}

async function serveResource(exchange: Exchange, routes: Routes, info: ResourceRequest): Promise<void> {
  const { server, request, response, query } = exchange;
  const { registry } = server;
  const resource =
    server.resources.get(info.group, info.version, info.resource) ??
    (await server.awaitedResource(info.group, info.version, info.resource));
  const unserved = resource === undefined ? nothingThere() : unservedReason(info, resource, request.method);
  if (resource === undefined || unserved !== undefined) {
    await authorizeUnknown(exchange, info);
    throw unserved!;
  }
  const warnings = new Set<string>();
  let result: Result;
  let format: AnswerFormat | undefined;
  try {
    const operation = readOperation(exchange, info, resource, (text) => warnings.add(text));
    if (operation instanceof ApiError) {
      // Who may not ask at all is not told what is wrong with the question, nor who could not read the answer.
      await authorizeUnknown(exchange, info);
      if (operation.code !== 415) answerFormat(exchange, info, resource);
      throw operation;
    }
    const authorized = exchange.meter.authorizing(() => server.authorize(operation));
    if (authorized !== undefined) await authorized;
    // What is handed on may be asked in any way.
    if (isOdd(request.method) && info.subresource !== 'proxy') throw methodNotAllowed();
    format = answerFormat(exchange, info, resource);
    if (await routes.connect(exchange, info, resource)) return;
    const withBody = await readOperationBody(exchange, operation);
    exchange.audit?.received(withBody.body);
    const carried = await carriedOut(server, withBody);
    if (carried instanceof ApiError) return sendWatchFailure({ response, format }, carried.status);
    result = carried;
    exchange.audit?.answered(result, resource);
    sendWarnings(response, resource.deprecation, warnings);
  } catch (error) {
    // A refusal may come with warnings, too. Who may not ask, or asks in vain, does not learn of versions.
    const isHandled = format !== undefined || !(error instanceof RouterRefusal || error instanceof AccessDenied);
    sendWarnings(response, isHandled ? resource.deprecation : undefined, warnings);
    throw error;
  }
  const answering: Answering = {
    response,
    format,
    include: format.as === 'table' ? includeOf(query) : 'Metadata',
    resource,
    now: registry.environment.clock.now(),
    metrics: exchange.metrics,
    onListed: () => exchange.meter.listed(),
  };
  if (result.type === 'watch') exchange.meter.leaveSeats();
  if (result.type === 'watch') exchange.audit?.started();
  if (result.type === 'watch') await sendWatch(answering, result.watch, registry.environment.clock);
  else await sendResult(answering, result);
}

function sendWarnings(response: AnyResponse, deprecation: string | undefined, warnings: ReadonlySet<string>): void {
  if (response.headersSent) return;
  const send = (text: string) => response.appendHeader('warning', headerText(`299 - ${JSON.stringify(text)}`));
  if (deprecation !== undefined) send(deprecation);
  warnings.forEach(send);
}

/** What comes of a request; of a watch, also why it cannot be from where it was to begin, which is told as its event. */
async function carriedOut(server: ApiServer, operation: Operation): Promise<Result | ApiError> {
  if (operation.verb !== 'watch') return server.carryOut(operation);
  try {
    return await server.carryOut(operation);
  } catch (error) {
    if (error instanceof ApiError && (error.code === 410 || error.code === 504)) return error;
    throw error;
  }
}

/** Methods that mean something in HTTP, and nothing to resources. */
function isOdd(method: string | undefined): boolean {
  return method === 'HEAD' || method === 'OPTIONS';
}

/** Who may not ask about a resource learns that before learning that there is no such resource. */
export function authorizeUnknown({ server, user, audit }: Asking, info: ResourceRequest): void | Promise<void> {
  return requireAllowed(server.authorizer, { ...accessOf(info), user }, audit?.annotate);
}

/** The operation without its body, or what is wrong with the request. */
function readOperation(...request: Parameters<typeof operationOf>): Operation | ApiError {
  try {
    return operationOf(...request);
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
}

function operationOf(
  exchange: Exchange,
  info: ResourceRequest,
  resource: ServedResource,
  warn: (text: string) => void,
): Operation {
  const { verb, subresource, namespace, name } = info;
  const { user, signal, query, request } = exchange;
  // Who applies has to say so; others are told apart by their program. What goes through a proxy is no patch of ours.
  const isPatch = verb === 'patch' && subresource !== 'proxy';
  const isCustom = resource.custom !== undefined;
  const contentType = request.headers['content-type'];
  const isApply = isPatch && patchTypeOf(contentType, exchange.server.encodings, { isCustom }).type === 'apply';
  const options: OperationOptions = queryOptions(query, verb);
  if (query.size > 0) checkWriteOptions(query, verb, isApply);
  const fieldManager = options.fieldManager ?? (isApply ? '' : defaultManager(request));
  return {
    verb,
    resource,
    subresource,
    namespace: resource.kind.namespaced ? namespace : '',
    name,
    user,
    options: { ...options, fieldManager },
    body: undefined,
    signal,
    warn,
    timing: exchange.meter,
    ...(verb === 'create' || verb === 'update' || verb === 'patch' ? { emptied: new Emptied() } : {}),
    ...(exchange.audit === undefined ? {} : { annotate: exchange.audit.annotate }),
  };
}

/** The program's name in front of the slash of its user agent, as upstream names managers. */
function defaultManager({ headers }: AnyRequest): string {
  const agent = headers['user-agent'] ?? '';
  return (agent.split('/')[0] || 'unknown').slice(0, 128);
}

async function readOperationBody(exchange: Exchange, operation: Operation): Promise<Operation> {
  const { request, query, server } = exchange;
  const { encodings } = server;
  const { verb, resource, subresource, options, warn, emptied } = operation;
  const contentType = request.headers['content-type'];
  switch (verb) {
    case 'create':
    case 'update': {
      const encoding = bodyEncoding(contentType, encodings);
      if (encoding === 'protobuf' && resource.custom !== undefined)
        throw unsupportedMediaType(encodings.filter((one) => one !== 'protobuf').map((one) => mediaTypes[one]));
      const bytes = await readBody(request);
      exchange.meter.received(bytes.length);
      const fieldValidation = options.fieldValidation ?? 'Warn';
      return {
        ...operation,
        body: decodeObject(bytes, expectedKind(resource, subresource), { encoding, fieldValidation, warn, emptied }),
      };
    }
    case 'patch': {
      const isCustom = resource.custom !== undefined;
      const { type: patchType, encoding } = patchTypeOf(contentType, encodings, { isCustom });
      const bytes = await readBody(request);
      exchange.meter.received(bytes.length);
      const { body, problems, repeated } = decodePatch(bytes, patchType, {
        encoding,
        fieldValidation: options.fieldValidation ?? 'Warn',
        warn,
      });
      return {
        ...operation,
        options: { ...options, patchType, patchProblems: problems, patchRepeats: repeated },
        body,
      };
    }
    case 'delete':
    case 'deletecollection': {
      const bytes = await readBody(request);
      const body = decodeDeleteOptions(bytes, bytes.length === 0 ? 'json' : bodyEncoding(contentType, encodings));
      return { ...operation, options: { ...options, ...deletionOptions(query, body) } };
    }
    default:
      return operation;
  }
}

/** @throws ApiError 400 */
function includeOf(query: URLSearchParams): IncludeObject {
  const wanted = query.get('includeObject') ?? '';
  if (wanted === '') return 'Metadata';
  if (wanted === 'None' || wanted === 'Object' || wanted === 'Metadata') return wanted;
  const why = `Invalid value: ${JSON.stringify(wanted)}: must be 'Metadata', 'Object', 'None', or empty`;
  throw badRequest(`Unable to convert to Table as requested: includeObject: ${why}`);
}
