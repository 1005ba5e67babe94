import type { TLSSocket } from 'node:tls';
import { ApiError, forbidden, unauthorized } from '#machinery/errors.ts';
import { anonymousUser, type Credentials } from '../authentication/authenticator.ts';
import { refusalReason } from '../authorization/authorizer.ts';
import type { UserInfo } from '../registry/operation.ts';
import type { Registry } from '../registry/registry.ts';
import type { AnyRequest } from './body.ts';

const certificates = new WeakMap<object, Credentials['certificate'] | 'none'>();
/** One user object for each certificate subject, so that what is remembered about a user stays together. */
const users = new Map<string, UserInfo>();
const maxUsers = 4096;

/** Who asks, after authentication and impersonation. @throws ApiError 401, 403. */
export function identify(registry: Registry, request: AnyRequest): UserInfo {
  const header = request.headers.authorization;
  const token = header?.startsWith('Bearer ') === true ? header.slice('Bearer '.length).trim() : undefined;
  const certificate = certificateOf(request);
  const credentials: Credentials = {
    ...(certificate === undefined ? {} : { certificate }),
    ...(token === undefined || token === '' ? {} : { bearerToken: token }),
  };
  const result = registry.authenticator.authenticate(credentials);
  if (result.outcome === 'refused') throw unauthorized();
  const user = result.outcome === 'anonymous' ? anonymousUser : shared(result.user);
  return request.headers['impersonate-user'] === undefined && !hasImpersonation(request)
    ? user
    : impersonated(registry, request, user);
}

function shared(user: UserInfo): UserInfo {
  if (user.extra !== undefined) return user;
  const key = `${user.name}\n${user.groups.join('\n')}`;
  const known = users.get(key);
  if (known !== undefined) return known;
  if (users.size >= maxUsers) users.clear();
  users.set(key, user);
  return user;
}

function certificateOf(request: AnyRequest): Credentials['certificate'] {
  const socket = (
    'stream' in request ? (request.stream.session?.socket ?? request.socket) : request.socket
  ) as TLSSocket;
  const holder = 'stream' in request ? (request.stream.session ?? socket) : socket;
  const known = certificates.get(holder);
  if (known !== undefined) return known === 'none' ? undefined : known;
  const subject = socket.authorized ? socket.getPeerCertificate().subject : undefined;
  const commonName = firstOf(subject?.CN);
  const organizations = subject?.O as string | readonly string[] | undefined;
  const certificate =
    commonName === undefined
      ? undefined
      : { commonName, organizations: organizations === undefined ? [] : [organizations].flat() };
  certificates.set(holder, certificate ?? 'none');
  return certificate;
}

function firstOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}

const extraPrefix = 'impersonate-extra-';

function hasImpersonation({ headers }: AnyRequest): boolean {
  return (
    headers['impersonate-group'] !== undefined ||
    headers['impersonate-uid'] !== undefined ||
    Object.keys(headers).some((name) => name.startsWith(extraPrefix))
  );
}

/** Acting as somebody else needs the `impersonate` verb on each part of who that is. */
function impersonated(registry: Registry, request: AnyRequest, user: UserInfo): UserInfo {
  const name = headerValues(request, 'impersonate-user')[0];
  if (name === undefined)
    throw new ApiError(
      500,
      'InternalError',
      'requested impersonation of groups, uid or extra without impersonating a user',
    );
  const groups = headerValues(request, 'impersonate-group');
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name);
  if (account === null) requireImpersonation(registry, user, { resource: 'users', name });
  else requireImpersonation(registry, user, { resource: 'serviceaccounts', namespace: account[1]!, name: account[2]! });
  for (const group of groups) requireImpersonation(registry, user, { resource: 'groups', name: group });
  const uid = headerValues(request, 'impersonate-uid')[0];
  if (uid !== undefined)
    requireImpersonation(registry, user, { group: 'authentication.k8s.io', resource: 'uids', name: uid });
  const extra: Record<string, string[]> = {};
  for (const header of Object.keys(request.headers)) {
    if (!header.startsWith(extraPrefix)) continue;
    const key = decodeURIComponent(header.slice(extraPrefix.length));
    for (const value of headerValues(request, header)) {
      requireImpersonation(registry, user, {
        group: 'authentication.k8s.io',
        resource: 'userextras',
        subresource: key,
        name: value,
      });
      extra[key] = [...(extra[key] ?? []), value];
    }
  }
  const all = [...groups];
  if (account !== null && groups.length === 0)
    all.push('system:serviceaccounts', `system:serviceaccounts:${account[1]}`);
  if (name === 'system:anonymous') all.push('system:unauthenticated');
  else if (!all.includes('system:authenticated') && !all.includes('system:unauthenticated'))
    all.push('system:authenticated');
  return {
    name,
    groups: all,
    ...(uid === undefined ? {} : { uid }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

function requireImpersonation(
  registry: Registry,
  user: UserInfo,
  what: {
    readonly group?: string;
    readonly resource: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name: string;
  },
): void {
  const { group = '', resource, subresource = '', namespace = '', name } = what;
  const attributes = {
    user,
    verb: 'impersonate',
    group,
    version: 'v1',
    resource,
    subresource,
    namespace,
    name,
    path: '',
  };
  const { outcome, reason } = registry.authorizer.authorize(attributes);
  if (outcome !== 'allow') throw forbidden({ group, resource }, name, refusalReason(attributes, reason));
}

/** Node joins repeated headers with commas, except where it knows better: take them from the raw list. */
function headerValues(request: AnyRequest, name: string): string[] {
  const values: string[] = [];
  for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
    if (request.rawHeaders[index]!.toLowerCase() === name) values.push(request.rawHeaders[index + 1]!);
  }
  return values.length > 0 ? values : [request.headers[name] ?? []].flat();
}
