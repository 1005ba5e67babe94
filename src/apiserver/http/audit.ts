import { type Random, randomUuid } from '#base/random.ts';
import type { ApiError } from '#machinery/errors.ts';
import type { AuditedRequest, Auditor, AuditRecord } from '../audit/auditor.ts';
import type { UserInfo } from '../registry/operation.ts';
import { addHeaders } from './answer.ts';
import type { AnyRequest, AnyResponse } from './any-http.ts';
import { authenticationNotes, impersonators } from './identity.ts';
import { type RequestInfo, requestInfo } from './request-info.ts';

/** Tells the client the number by which its request is known here, and to servers it is handed on to: its own, if it has one. */
export function numberRequest({ headers }: AnyRequest, response: AnyResponse, random: Random): void {
  headers['audit-id'] ||= randomUuid(random);
  addHeaders(response, { 'audit-id': String(headers['audit-id']) });
}

/** Begins the record of a request. */
export function beginAudit(
  auditor: Auditor,
  request: AnyRequest,
  info: RequestInfo,
  user: UserInfo,
): AuditRecord | undefined {
  const record = auditor.begin({ ...originOf(request), info, user });
  for (const [key, value] of Object.entries(authenticationNotes.get(request) ?? {})) record?.annotate(key, value);
  return record;
}

/** Notes a request that ended before its record began: nobody was believed, or nobody may be impersonated. */
export function auditRefusal(auditor: Auditor, request: AnyRequest, error: ApiError): void {
  const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
  const info = requestInfo(request.method ?? 'GET', path, new URLSearchParams(query));
  const user = impersonators.get(request);
  if (user !== undefined) auditor.begin({ ...originOf(request), info, user })?.fail(error);
  else if (error.code === 401) auditor.refuse({ ...originOf(request), info }, attempted(request));
}

function attempted({ headers }: AnyRequest): string {
  return headers.authorization === undefined ? 'anonymous' : 'bearer';
}

function originOf(request: AnyRequest): Omit<AuditedRequest, 'info' | 'user'> {
  const { headers, socket, url = '/' } = request;
  const id = headers['audit-id'];
  return {
    uri: url,
    sourceIps: sourcesOf(headers['x-forwarded-for'], headers['x-real-ip'], socket.remoteAddress),
    userAgent: headers['user-agent'],
    id: typeof id === 'string' ? id : undefined,
  };
}

/** Proxies on the way first, the peer last; each once. */
function sourcesOf(...values: readonly (string | readonly string[] | undefined)[]): readonly string[] {
  const listed = values.flatMap((value) => [value ?? []].flat()).flatMap((value) => value.split(','));
  return [
    ...new Set(listed.map((address) => address.trim().replace(/^::ffff:/, '')).filter((address) => address !== '')),
  ];
}
