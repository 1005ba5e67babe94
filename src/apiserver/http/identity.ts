import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { decodeBase64Url } from '#machinery/base64.ts';
import { unauthorized } from '#machinery/errors.ts';
import type { Authentication } from '../authentication/authenticator.ts';
import type { ClientCertificate } from '../authentication/certificates.ts';
import { type ImpersonationRequest, impersonate } from '../authentication/impersonation.ts';
import { type Headers, unescaped } from '../authentication/request-header.ts';
import type { Awaitable } from '../authorization/authorizer.ts';
import type { UserInfo } from '../registry/operation.ts';
import type { Registry } from '../registry/registry.ts';
import type { AnyRequest } from './any-http.ts';
import { accessOf, type RequestInfo } from './request-info.ts';

/** Subjects may name a user's uid (KEP-5061's attribute). */
const uidAttribute = '1.3.6.1.4.1.57683.2';

const webSocketTokenPrefix = 'base64url.bearer.authorization.k8s.io.';

/** What each connection proved, by its socket or session. */
const certificates = new WeakMap<object, ClientCertificate | 'none'>();

/** Who asks, after authentication and impersonation: at once, unless somebody else has to be asked. @throws ApiError 401, 403. */
export function identify(registry: Registry, request: AnyRequest, info: RequestInfo): Awaitable<UserInfo> {
  const header = request.headers.authorization;
  const token =
    header?.startsWith('Bearer ') === true ? header.slice('Bearer '.length).trim() : webSocketToken(request);
  const answer = registry.authenticator.authenticate({
    certificate: certificateOf(request),
    bearerToken: token === '' ? undefined : token,
    headers: headersOf(request),
    path: info.type === 'path' ? info.path : '',
  });
  const settle = (authentication: Authentication): Awaitable<UserInfo> => {
    if (authentication.outcome === 'refused') throw unauthorized();
    if (authentication.annotations !== undefined) noteStale(request, authentication.annotations);
    return acting(registry, request, authentication.user, info);
  };
  return answer instanceof Promise ? answer.then(settle) : settle(answer);
}

/** A browser cannot set headers of a WebSocket: its token comes as one of the protocols that it speaks. */
function webSocketToken({ headers }: AnyRequest): string | undefined {
  const offered = headers['sec-websocket-protocol'];
  if (offered === undefined) return undefined;
  const protocol = String(offered)
    .split(',')
    .find((one) => one.trim().startsWith(webSocketTokenPrefix));
  if (protocol === undefined) return undefined;
  try {
    return decodeBase64Url(protocol.trim().slice(webSocketTokenPrefix.length));
  } catch {
    throw unauthorized();
  }
}

/** What authentication has to say to the audit log about a request. */
export const authenticationNotes = new WeakMap<object, Readonly<Record<string, string>>>();

/** Who asked to act as somebody else; told to the audit log also when they may not. */
export const impersonators = new WeakMap<object, UserInfo>();

function noteStale(request: AnyRequest, annotations: Readonly<Record<string, string>>): void {
  authenticationNotes.set(request, annotations);
}

function acting(registry: Registry, request: AnyRequest, user: UserInfo, info: RequestInfo): Awaitable<UserInfo> {
  if (!hasImpersonation(request)) return user;
  const wanted = impersonationOf(request);
  // An empty name asks for nothing.
  if (wanted.user === '' && wanted.uid === '' && wanted.groups.length + Object.keys(wanted.extra).length === 0)
    return user;
  impersonators.set(request, user);
  return impersonate(registry.authorizer, user, wanted, {
    access: accessOf(info),
    constrained: registry.featureEnabled('ConstrainedImpersonation'),
  });
}

/** When the certificate of a request's connection ends, in wall-clock milliseconds; undefined when there is none. */
export function certificateEndOf(request: AnyRequest): number | undefined {
  return certificateOf(request)?.expiresAtMs;
}

function certificateOf(request: AnyRequest): ClientCertificate | undefined {
  const { socket } = request as { readonly socket: TLSSocket };
  const holder = 'stream' in request ? request.session : socket;
  let known = certificates.get(holder);
  if (known === undefined) {
    known = (socket.authorized ? readCertificate(socket.getPeerCertificate(true)) : undefined) ?? 'none';
    certificates.set(holder, known);
  }
  return known === 'none' ? undefined : known;
}

function readCertificate(peer: DetailedPeerCertificate): ClientCertificate | undefined {
  const subject = peer.subject as unknown as Readonly<Record<string, string | readonly string[] | undefined>>;
  const commonName = [subject?.['CN'] ?? []].flat()[0];
  if (commonName === undefined) return undefined;
  const uid = [subject[uidAttribute] ?? []].flat()[0];
  const chain: string[] = [];
  for (let one = peer; one !== undefined; one = one.issuerCertificate) {
    const fingerprint = one.fingerprint256.replaceAll(':', '').toLowerCase();
    if (chain.includes(fingerprint)) break;
    chain.push(fingerprint);
  }
  return {
    commonName,
    organizations: [subject['O'] ?? []].flat(),
    ...(uid === undefined ? {} : { uid }),
    fingerprint: chain[0]!,
    chain,
    expiresAtMs: Date.parse(peer.valid_to),
  };
}

const extraPrefix = 'impersonate-extra-';

function hasImpersonation({ headers }: AnyRequest): boolean {
  // Looked at for every request: names are compared only where one starts like these.
  for (const name in headers) {
    if (name.startsWith('impersonate-')) return true;
  }
  return false;
}

function impersonationOf(request: AnyRequest): ImpersonationRequest {
  const headers = headersOf(request);
  const extra: Record<string, readonly string[]> = {};
  for (const name of headers.names())
    if (name.startsWith(extraPrefix)) extra[unescaped(name.slice(extraPrefix.length))] = headers.values(name);
  return {
    user: headers.values('impersonate-user')[0] ?? '',
    uid: headers.values('impersonate-uid')[0] ?? '',
    groups: headers.values('impersonate-group'),
    extra,
  };
}

/** Bytes that Node took for characters of Latin-1. */
function inUtf8(text: string): string {
  return /[\u0080-\u00ff]/.test(text) ? Buffer.from(text, 'latin1').toString() : text;
}

/** Node joins repeated headers with commas, except where it knows better: they are taken from the raw list. */
function headersOf(request: AnyRequest): Headers {
  const { headers } = request;
  return {
    names: () => Object.keys(headers),
    values(name) {
      if (headers[name] === undefined) return [];
      const { rawHeaders } = request;
      const values: string[] = [];
      for (let index = 0; index + 1 < rawHeaders.length; index += 2)
        if (rawHeaders[index]!.toLowerCase() === name) values.push(inUtf8(rawHeaders[index + 1]!));
      return values;
    },
  };
}
