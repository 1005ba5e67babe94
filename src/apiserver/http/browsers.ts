import { compilePattern, matchesText } from '#cel/regex/pattern.ts';
import type { AnyRequest, AnyResponse } from './any-http.ts';

/** What browsers are told besides the answer. */
export interface BrowserOptions {
  /** Patterns of origins whose pages may ask here; each is pinned to both ends of the host. */
  readonly corsAllowedOrigins?: readonly string[];
  /** Directives for HTTPS only, `max-age=31536000` for example. */
  readonly strictTransportSecurity?: readonly string[];
}

/** Looks at a request before anything else does. @returns whether it is answered with that. */
export type BrowserFilter = (request: AnyRequest, response: AnyResponse) => boolean;

const allowed = {
  'access-control-allow-methods': 'POST, GET, OPTIONS, PUT, DELETE, PATCH',
  'access-control-allow-headers':
    'Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, Authorization, X-Requested-With, If-Modified-Since',
  'access-control-expose-headers': 'Date',
  'access-control-allow-credentials': 'true',
};

/** Undefined where browsers are told nothing. @throws Error in upstream's words for what cannot be told */
export function browserFilter(options: BrowserOptions): BrowserFilter | undefined {
  const { corsAllowedOrigins = [], strictTransportSecurity = [] } = options;
  const origins = corsAllowedOrigins.map(originPattern);
  if (!strictTransportSecurity.every((directive) => /^(max-age=.*|includeSubDomains|preload)$/.test(directive)))
    throw new Error(
      '--strict-transport-security-directives invalid, allowed values: max-age=expireTime, includeSubDomains, preload. see https://tools.ietf.org/html/rfc6797#section-6.1 for more information',
    );
  if (origins.length === 0 && strictTransportSecurity.length === 0) return undefined;
  const transport = strictTransportSecurity.join('; ');
  return (request, response) => {
    if (transport !== '') response.setHeader('strict-transport-security', transport);
    const { origin } = request.headers;
    if (origin === undefined || !origins.some((pattern) => matchesText(origin, pattern))) return false;
    response.setHeader('access-control-allow-origin', origin);
    for (const [name, value] of Object.entries(allowed)) response.setHeader(name, value);
    if (request.method !== 'OPTIONS') return false;
    // A browser asks beforehand, without credentials.
    response.writeHead(204);
    response.end();
    return true;
  };
}

function originPattern(text: string): string {
  const { error } = compilePattern(text);
  // Or `example.com` would let in `example.com.evil.org` (CVE-2022-1996).
  const isPinned = /^\^|\/\//.test(text) && /\$\)?$|:(?!\/\/)/.test(text);
  const problem =
    error ?? (isPinned ? undefined : 'regular expression does not pin to start/end of host in the origin header');
  if (problem !== undefined) throw new Error(`--cors-allowed-origins has an invalid regular expression: ${problem}`);
  return text;
}
