import type { Awaitable } from '../authorization/authorizer.ts';
import type { UserInfo } from '../registry/operation.ts';
import { type Authorities, CertificateUsers, type ClientCertificate } from './certificates.ts';
import type { Headers, RequestHeaderAuthenticator } from './request-header.ts';
import type { TokenAnswer, TokenAuthenticator } from './token-authenticator.ts';

/** What a connection and its headers prove. */
export interface Credentials {
  readonly certificate: ClientCertificate | undefined;
  readonly bearerToken: string | undefined;
  readonly headers: Headers;
  /** Anonymous requests may be limited to certain paths. */
  readonly path: string;
}

export type Authentication =
  | {
      readonly outcome: 'authenticated';
      readonly user: UserInfo;
      readonly annotations?: Readonly<Record<string, string>>;
    }
  | { readonly outcome: 'refused' };

export type TokenReviewAnswer =
  | { readonly outcome: 'authenticated'; readonly user: UserInfo; readonly audiences: readonly string[] }
  | { readonly outcome: 'refused'; readonly error: string };

const anonymousUser: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] };
const anonymous: Authentication = { outcome: 'authenticated', user: anonymousUser };
const refused: Authentication = { outcome: 'refused' };

export interface AuthenticatorOptions {
  /** Authorities whose certificates are users; without them nobody has a certificate. */
  readonly clientAuthorities?: (() => Authorities | undefined) | undefined;
  readonly requestHeader?: RequestHeaderAuthenticator | undefined;
  /** Asked in this order. */
  readonly tokens: () => readonly TokenAuthenticator[];
  /** Whom a token has to be for when nobody says. */
  readonly apiAudiences: readonly string[];
  /** Whether a request without credentials is let through, as nobody in particular. */
  readonly allowsAnonymous: (path: string) => boolean;
  readonly now: () => number;
}

/**
 * Works out who asks: an authenticating proxy's headers, then certificates, then tokens; a token that is wrong is
 * refused, none at all is anonymous.
 */
export class Authenticator {
  readonly apiAudiences: readonly string[];
  readonly #options: AuthenticatorOptions;
  readonly #certificateUsers = new CertificateUsers();

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
    this.apiAudiences = options.apiAudiences;
  }

  authenticate(credentials: Credentials): Awaitable<Authentication> {
    const { certificate, bearerToken } = credentials;
    const { requestHeader, clientAuthorities, now } = this.#options;
    if (certificate !== undefined && certificate.expiresAtMs > now()) {
      const proxied = requestHeader?.authenticate(certificate, credentials.headers);
      if (proxied !== undefined) return { outcome: 'authenticated', user: proxied };
      if (clientAuthorities?.()?.vouchFor(certificate) === true)
        return { outcome: 'authenticated', user: this.#certificateUsers.userOf(certificate) };
    }
    if (bearerToken === undefined) return this.#options.allowsAnonymous(credentials.path) ? anonymous : refused;
    const answer = this.#ask(bearerToken, this.apiAudiences, 0, []);
    return answer instanceof Promise ? answer.then(authentication) : authentication(answer);
  }

  /** Who is behind a token that is meant for one of `audiences`. */
  async reviewToken(token: string, audiences: readonly string[]): Promise<TokenReviewAnswer> {
    const answer = await this.#ask(token, audiences, 0, []);
    if (answer.outcome === 'authenticated') return answer;
    if (answer.outcome === 'unknown') return { outcome: 'refused', error: 'invalid bearer token' };
    return { outcome: 'refused', error: `[invalid bearer token, ${answer.error}]` };
  }

  #ask(token: string, audiences: readonly string[], start: number, errors: readonly string[]): Awaitable<TokenAnswer> {
    const authenticators = this.#options.tokens();
    let seen = errors;
    for (let index = start; index < authenticators.length; index++) {
      const answer = authenticators[index]!.authenticate(token, audiences);
      if (answer instanceof Promise) {
        return answer.then((settled) => {
          if (settled.outcome === 'authenticated') return settled;
          return this.#ask(token, audiences, index + 1, withError(seen, settled));
        });
      }
      if (answer.outcome === 'authenticated') return answer;
      seen = withError(seen, answer);
    }
    return seen.length === 0 ? { outcome: 'unknown' } : { outcome: 'refused', error: seen.join(', ') };
  }
}

function withError(errors: readonly string[], answer: TokenAnswer): readonly string[] {
  return answer.outcome === 'refused' ? [...errors, answer.error] : errors;
}

function authentication(answer: TokenAnswer): Authentication {
  if (answer.outcome !== 'authenticated') return refused;
  const { user, annotations } = answer;
  return { outcome: 'authenticated', user, ...(annotations === undefined ? {} : { annotations }) };
}
