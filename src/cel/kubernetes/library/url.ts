import { global, member } from '../../library/define.ts';
import type { Library } from '../../library/library.ts';
import { typeConstants } from '../../library/standard/index.ts';
import { boolType, type CelType, listType, mapType, opaqueType, stringType } from '../../types/types.ts';
import { ArrayList, HashMap } from '../../values/collections.ts';
import { fail, OpaqueValue, type Value } from '../../values/value.ts';

/** https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-url-library; URLs as Go's net/url reads them. */

const urlType: CelType = opaqueType('kubernetes.URL');

interface UrlParts {
  readonly scheme: string;
  /** With the port, as it is written. */
  readonly host: string;
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
}

class UrlValue extends OpaqueValue {
  readonly type = urlType;
  readonly text: string;
  readonly parts: UrlParts;

  constructor(text: string, parts: UrlParts) {
    super();
    this.text = text;
    this.parts = parts;
  }

  equals(other: Value): boolean {
    return other instanceof UrlValue && other.text === this.text;
  }
}

/** An absolute URI or an absolute path; what is wrong otherwise, in Go's words. */
export function parseUrl(text: string): UrlParts | { readonly problem: string } {
  const bad = (why: string) => ({ problem: `parse ${JSON.stringify(text)}: ${why}` });
  if (/[\x00-\x1f\x7f]/.test(text)) return bad('net/url: invalid control character in URL');
  if (text === '') return bad('empty url');
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(text)?.[1] ?? '';
  const rest = scheme === '' ? text : text.slice(scheme.length + 1);
  // What has a scheme and no slash is opaque: `mailto:a@b`.
  if (scheme !== '' && !rest.startsWith('/')) return { scheme: scheme.toLowerCase(), host: '', path: '', query: '' };
  if (!rest.startsWith('/')) return bad('invalid URI for request');
  const isHosted = rest.startsWith('//') && (scheme !== '' || !rest.startsWith('///'));
  const [, authority = '', path = '', query = ''] = (
    isHosted ? /^\/\/([^/?]*)([^?]*)(?:\?(.*))?$/s : /^()([^?]*)(?:\?(.*))?$/s
  ).exec(rest)!;
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  const badEscape = /%(?![0-9a-fA-F]{2}).{0,2}/.exec(`${host}${path}`)?.[0];
  if (badEscape !== undefined) return bad(`invalid URL escape ${JSON.stringify(badEscape)}`);
  const port = /^(?:\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(host)?.[1] ?? (host.split(':').length > 2 ? 'x' : '');
  if (!/^\d*$/.test(port)) return bad(`invalid port ":${port}" after host`);
  const character = /[\s"<>\\^`{|}]/.exec(host)?.[0];
  if (character !== undefined) return bad(`invalid character ${JSON.stringify(character)} in host name`);
  return { scheme: scheme.toLowerCase(), host, path, query };
}

function urlOf(text: string): UrlValue {
  const parts = parseUrl(text);
  return 'problem' in parts
    ? fail(`URL parse error during conversion from string: ${parts.problem}`)
    : new UrlValue(text, parts);
}

const hostAndPort = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d*))?$/s;

function hostname({ parts }: UrlValue): string {
  const match = hostAndPort.exec(parts.host);
  return match?.[1] ?? match?.[2] ?? '';
}

/** Characters that a path may not have as they are become escapes. */
const escapedPath = ({ parts }: UrlValue): string =>
  parts.path.replace(/[^A-Za-z0-9\-_.~$&+,/:;=@%!*'()[\]]/gu, (character) => encodeURIComponent(character));

function query({ parts }: UrlValue): HashMap {
  const values = new Map<string, string[]>();
  for (const pair of parts.query.split('&')) {
    if (pair === '' || pair.includes(';')) continue;
    const split = pair.indexOf('=');
    const key = decode(split < 0 ? pair : pair.slice(0, split));
    const value = decode(split < 0 ? '' : pair.slice(split + 1));
    if (key === undefined || value === undefined) continue;
    const known = values.get(key);
    if (known === undefined) values.set(key, [value]);
    else known.push(value);
  }
  return new HashMap([...values].map(([key, own]) => [key, new ArrayList(own)] as const));
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

const accessor = (name: string, id: string, read: (url: UrlValue) => string) =>
  member(name, id, [urlType], stringType, read);

export const urlLibrary: Library = {
  name: 'kubernetes.urls',
  types: typeConstants(new Map([[urlType.name, urlType]])),
  overloads: [
    global('url', 'string_to_url', [stringType], urlType, urlOf),
    global('isURL', 'is_url_string', [stringType], boolType, (text: string) => !('problem' in parseUrl(text))),
    accessor('getScheme', 'url_get_scheme', ({ parts }) => parts.scheme),
    accessor('getHost', 'url_get_host', ({ parts }) => parts.host),
    accessor('getHostname', 'url_get_hostname', hostname),
    accessor('getPort', 'url_get_port', ({ parts }) => hostAndPort.exec(parts.host)?.[3] ?? ''),
    accessor('getEscapedPath', 'url_get_escaped_path', escapedPath),
    member('getQuery', 'url_get_query', [urlType], mapType(stringType, listType(stringType)), query),
  ],
};
