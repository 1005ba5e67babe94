import type { KeyObject } from 'node:crypto';
import type { Environment } from '#base/environment.ts';
import { LruCache } from '#base/lru-cache.ts';
import { createHttpClient } from '#client/http/client.ts';
import type { Awaitable } from '../../authorization/authorizer.ts';
import { isSignedBy, type Jwt, keyOfJwk, parseJwt } from '../jwt.ts';
import { forThisApi, type TokenAnswer, type TokenAuthenticator } from '../token-authenticator.ts';
import type { ClaimMapper, Claims } from './claims.ts';

/** An issuer as an AuthenticationConfiguration names it. */
export interface IssuerSettings {
  readonly url: string;
  readonly discoveryUrl?: string | undefined;
  /** PEM; the machine's own authorities unless set. */
  readonly certificateAuthority?: string | undefined;
  readonly audiences: readonly string[];
}

/** Tokens whose users are remembered until the tokens end. */
const maxTokens = 4096;
/** Keys are asked for again at most this often: a stranger must not make us ask for each made-up key. */
const minRefreshMs = 10_000;
/** And at the latest after this long, so that keys that were withdrawn are forgotten. */
const maxKeyAgeMs = 3600_000;
const timeoutMs = 10_000;
const maxAnswerBytes = 1024 * 1024;

interface Keys {
  readonly byId: ReadonlyMap<string, KeyObject>;
  readonly all: readonly KeyObject[];
  readonly fetchedAtMs: number;
}

const unknown: TokenAnswer = { outcome: 'unknown' };

/** Believes ID tokens of one OpenID Connect issuer. Its keys are fetched when the first token comes. */
export class OidcIssuer implements TokenAuthenticator {
  readonly #settings: IssuerSettings;
  readonly #mapper: ClaimMapper;
  readonly #environment: Environment;
  readonly #apiAudiences: readonly string[];
  readonly #answers = new LruCache<string, { readonly answer: TokenAnswer; readonly untilMs: number }>(maxTokens);
  #keys: Keys | undefined;
  #fetching: Promise<Keys> | undefined;

  constructor(
    settings: IssuerSettings,
    mapper: ClaimMapper,
    context: { readonly environment: Environment; readonly apiAudiences: readonly string[] },
  ) {
    this.#settings = settings;
    this.#mapper = mapper;
    this.#environment = context.environment;
    this.#apiAudiences = context.apiAudiences;
  }

  authenticate(token: string, audiences: readonly string[]): Awaitable<TokenAnswer> {
    const known = this.#answers.get(token);
    if (known !== undefined && known.untilMs > this.#environment.clock.now())
      return this.#narrow(known.answer, audiences);
    const jwt = parseJwt(token);
    if (jwt === undefined || jwt.claims['iss'] !== this.#settings.url) return unknown;
    return this.#verify(token, jwt).then((answer) => this.#narrow(answer, audiences));
  }

  /** Tokens of an issuer are for this API or not at all. */
  #narrow(answer: TokenAnswer, audiences: readonly string[]): TokenAnswer {
    return forThisApi(answer, audiences, this.#apiAudiences);
  }

  async #verify(token: string, jwt: Jwt): Promise<TokenAnswer> {
    try {
      if (!(await this.#isSigned(jwt))) return refused('oidc: verify token: failed to verify id token signature');
      const problem = this.#problemOf(jwt.claims);
      if (problem !== undefined) return refused(`oidc: verify token: ${problem}`);
      const user = this.#mapper.userOf(jwt.claims);
      const answer: TokenAnswer = { outcome: 'authenticated', user, audiences: [] };
      this.#answers.set(token, { answer, untilMs: Number(jwt.claims['exp']) * 1000 });
      return answer;
    } catch (error) {
      return refused(error instanceof Error ? error.message : String(error));
    }
  }

  #problemOf({ aud, exp, nbf }: Claims): string | undefined {
    const audiences = [aud ?? []].flat();
    const { audiences: wanted } = this.#settings;
    if (!audiences.some((one) => wanted.includes(one as string)))
      return `oidc: expected audience in ${JSON.stringify(wanted)} got ${JSON.stringify(audiences)}`;
    const now = this.#environment.clock.now() / 1000;
    if (typeof exp !== 'number' || exp <= now) return 'oidc: token is expired';
    // As the library that upstream uses, which allows for five minutes between clocks.
    if (typeof nbf === 'number' && nbf > now + 300) return 'oidc: current time before the nbf (not before) time';
    return undefined;
  }

  async #isSigned(jwt: Jwt): Promise<boolean> {
    let keys = await this.#currentKeys(maxKeyAgeMs);
    if (jwt.keyId !== undefined && !keys.byId.has(jwt.keyId)) keys = await this.#currentKeys(minRefreshMs);
    if (jwt.keyId === undefined) return keys.all.some((key) => isSignedBy(jwt, key));
    const named = keys.byId.get(jwt.keyId);
    return named !== undefined && isSignedBy(jwt, named);
  }

  /** Keys that are not older than `ageMs`; older ones where the issuer does not answer now. */
  async #currentKeys(ageMs: number): Promise<Keys> {
    const now = this.#environment.clock.now();
    const known = this.#keys;
    if (known !== undefined && now - known.fetchedAtMs < ageMs) return known;
    this.#fetching ??= this.#fetchKeys().finally(() => {
      this.#fetching = undefined;
    });
    try {
      this.#keys = await this.#fetching;
      return this.#keys;
    } catch (error) {
      if (known === undefined) throw error;
      this.#environment.log.warn('cannot fetch the keys of an issuer', {
        issuer: this.#settings.url,
        error: String(error),
      });
      return known;
    }
  }

  async #fetchKeys(): Promise<Keys> {
    const { url, discoveryUrl } = this.#settings;
    const place = discoveryUrl ?? `${url.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const { issuer, jwks_uri: jwksUri } = (await this.#fetch(place)) as { issuer?: string; jwks_uri?: string };
    if (issuer !== url)
      throw new Error(
        `oidc: issuer did not match the issuer returned by provider, expected ${JSON.stringify(url)} got ${JSON.stringify(issuer ?? '')}`,
      );
    const { keys = [] } = (await this.#fetch(jwksUri ?? '')) as { readonly keys?: readonly unknown[] };
    const read = keys.flatMap((jwk) => keyOfJwk(jwk) ?? []);
    return {
      byId: new Map(read.flatMap(({ keyId, key }) => (keyId === undefined ? [] : [[keyId, key] as const]))),
      all: read.map(({ key }) => key),
      fetchedAtMs: this.#environment.clock.now(),
    };
  }

  async #fetch(place: string): Promise<unknown> {
    const { origin, pathname, search } = new URL(place);
    const { clock } = this.#environment;
    const client = createHttpClient({ server: origin, ca: this.#settings.certificateAuthority, clock });
    const limit = new AbortController();
    const timer = clock.schedule(timeoutMs, () => limit.abort(new Error(`${place} does not answer`)));
    try {
      const { body } = await client.raw({ path: `${pathname}${search}`, signal: limit.signal });
      const parts: Uint8Array[] = [];
      let length = 0;
      for await (const part of body as AsyncIterable<Uint8Array>) {
        length += part.length;
        if (length > maxAnswerBytes) throw new Error(`${place} answers too much`);
        parts.push(part);
      }
      return JSON.parse(Buffer.concat(parts).toString());
    } finally {
      timer.cancel();
      client.close();
    }
  }
}

function refused(error: string): TokenAnswer {
  return { outcome: 'refused', error };
}
