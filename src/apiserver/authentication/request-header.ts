import { LruCache } from '#base/lru-cache.ts';
import type { UserInfo } from '../registry/operation.ts';
import type { Authorities, ClientCertificate } from './certificates.ts';

/** How an authenticating proxy in front of the server says whom it speaks for (`--requestheader-*`). */
export interface RequestHeaderOptions {
  /** PEM of the authorities that vouch for proxies. */
  readonly clientCa: string;
  /** Common names of proxies; none means all that the authority vouches for. */
  readonly allowedNames: readonly string[];
  /** Lower-case header names, in the order in which they are looked at. */
  readonly usernameHeaders: readonly string[];
  readonly uidHeaders: readonly string[];
  readonly groupHeaders: readonly string[];
  readonly extraHeaderPrefixes: readonly string[];
}

export const defaultRequestHeaders: Omit<RequestHeaderOptions, 'clientCa' | 'allowedNames'> = {
  usernameHeaders: ['x-remote-user'],
  uidHeaders: ['x-remote-uid'],
  groupHeaders: ['x-remote-group'],
  extraHeaderPrefixes: ['x-remote-extra-'],
};

/** The headers of a request: all values of one, and the names of all. */
export interface Headers {
  values(name: string): readonly string[];
  names(): readonly string[];
}

/** Users that proxies brought lately, so that what is known of a user stays together. */
const maxUsers = 4096;

export class RequestHeaderAuthenticator {
  readonly #options: RequestHeaderOptions;
  readonly #authorities: Authorities;
  readonly #users = new LruCache<string, UserInfo>(maxUsers);

  constructor(options: RequestHeaderOptions, authorities: Authorities) {
    this.#options = options;
    this.#authorities = authorities;
  }

  /** The user whom a proxy speaks for; undefined when the peer is no proxy or names nobody. */
  authenticate(certificate: ClientCertificate, headers: Headers): UserInfo | undefined {
    const { allowedNames, usernameHeaders, uidHeaders, groupHeaders } = this.#options;
    if (!this.#authorities.vouchFor(certificate)) return undefined;
    if (allowedNames.length > 0 && !allowedNames.includes(certificate.commonName)) return undefined;
    const name = first(headers, usernameHeaders);
    if (name === undefined) return undefined;
    const uid = first(headers, uidHeaders);
    const groups = groupHeaders.flatMap((header) => headers.values(header)).filter((group) => group !== '');
    const extra = this.#extra(headers);
    const user: UserInfo = {
      name,
      ...(uid === undefined ? {} : { uid }),
      groups: groups.includes('system:authenticated') ? groups : [...groups, 'system:authenticated'],
      ...(Object.keys(extra).length === 0 ? {} : { extra }),
    };
    const key = JSON.stringify(user);
    const known = this.#users.get(key);
    if (known !== undefined) return known;
    this.#users.set(key, user);
    return user;
  }

  #extra(headers: Headers): Record<string, readonly string[]> {
    const extra: Record<string, readonly string[]> = {};
    for (const header of headers.names())
      for (const prefix of this.#options.extraHeaderPrefixes) {
        if (!header.startsWith(prefix)) continue;
        extra[unescaped(header.slice(prefix.length))] = headers.values(header);
      }
    return extra;
  }
}

function first(headers: Headers, names: readonly string[]): string | undefined {
  return names.flatMap((name) => headers.values(name)).find((value) => value !== '');
}

/** Keys of extra values are percent-encoded where a header name cannot hold them. */
export function unescaped(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
