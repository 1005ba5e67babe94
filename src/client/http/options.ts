import type { Clock } from '#base/clock.ts';

/** How to reach a server and who to be there. PEM where text is certificates or keys. */
export interface HttpClientOptions {
  /** `https://host:port`, optionally with a path in front of the API. */
  readonly server: string;
  readonly ca?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  /** A bearer token, or what gives the current one; `renew` asks for another after a 401. */
  readonly token?: string | ((options: { readonly renew: boolean }) => Promise<string | undefined>) | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly insecureSkipTlsVerify?: boolean | undefined;
  /** The name that the server's certificate must carry, when not the host of `server`. */
  readonly tlsServerName?: string | undefined;
  readonly impersonate?:
    | { readonly user: string; readonly groups?: readonly string[]; readonly uid?: string }
    | undefined;
  readonly userAgent?: string | undefined;
  /** One HTTP/2 connection for everything, instead of one HTTP/1.1 connection per call in progress. */
  readonly http2?: boolean | undefined;
  readonly clock?: Clock | undefined;
}

export const httpLimits = {
  /** HTTP/1.1 connections to one server. */
  connections: 256,
  /** Longest line of a watch, in bytes; the store takes objects of up to 1.5 MiB. */
  watchLine: 16 * 1024 * 1024,
  /** Answers of 429 or 503 with Retry-After that are waited out for one call. */
  retries: 10,
  connectTimeoutMs: 30_000,
} as const;
