import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import type { Environment } from '#base/environment.ts';
import { LruCache } from '#base/lru-cache.ts';
import { randomUuid } from '#base/random.ts';
import { algorithmOf, isSignedBy, type Jwt, parseJwt, signJwt } from './jwt.ts';

interface ObjectClaim {
  readonly name: string;
  readonly uid: string;
}

/** What a bound token says (KEP-1205). Times in seconds since the epoch. */
export interface TokenClaims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: readonly string[];
  readonly exp: number;
  readonly iat: number;
  readonly nbf: number;
  readonly jti: string;
  readonly 'kubernetes.io': {
    readonly namespace: string;
    readonly serviceaccount: ObjectClaim;
    readonly pod?: ObjectClaim;
    readonly secret?: ObjectClaim;
    readonly node?: { readonly name: string; readonly uid?: string };
    /** A token that was made to live longer than asked: from here on its use is worth a warning. */
    readonly warnafter?: number;
  };
}

/** What the token in a Secret says; it has no end. */
export interface LegacyTokenClaims {
  readonly iss: 'kubernetes/serviceaccount';
  readonly sub: string;
  readonly 'kubernetes.io/serviceaccount/namespace': string;
  readonly 'kubernetes.io/serviceaccount/secret.name': string;
  readonly 'kubernetes.io/serviceaccount/service-account.name': string;
  readonly 'kubernetes.io/serviceaccount/service-account.uid': string;
}

export type CheckedToken =
  | { readonly type: 'bound'; readonly claims: TokenClaims }
  | { readonly type: 'legacy'; readonly claims: LegacyTokenClaims }
  /** Signed by somebody else, or no token at all. */
  | { readonly type: 'foreign' }
  | { readonly type: 'refused'; readonly error: string };

export interface TokenRequestOptions {
  readonly audiences: readonly string[];
  readonly lifetimeSeconds: number;
  readonly kubernetes: TokenClaims['kubernetes.io'];
}

export interface TokenKeysOptions {
  /** The first signs; tokens of all are believed. */
  readonly issuers: readonly string[];
  /** RSA or EC private key in PEM. */
  readonly privateKeyPem: string;
  /** Further keys, private or public, in PEM: tokens that they signed stay good while keys are rotated. */
  readonly verificationKeyPems?: readonly string[];
  readonly environment: Environment;
}

/** Tokens whose signature was checked lately, so that a busy pod pays once. */
const maxVerified = 4096;
/** Clocks differ: a token is good this much before and after its time, as with upstream's library. */
const leewaySeconds = 60;
const legacyIssuer = 'kubernetes/serviceaccount';

/** How often tokens were believed, by their sort; legacy ones are those that Secrets hold. */
export interface TokenUses {
  valid: number;
  /** Their clients should have read newer ones. */
  stale: number;
  legacy: number;
  /** Legacy ones of Secrets that somebody made, and of those that were made for each account. */
  legacyManual: number;
  legacyAutomatic: number;
  /** Refused, as the cleaner of unused tokens has marked them. */
  invalidLegacy: number;
}

/** Issues and checks service-account tokens: JWTs signed with the cluster's key. */
export class ServiceAccountTokens {
  readonly issuers: readonly string[];
  readonly uses: TokenUses = { valid: 0, stale: 0, legacy: 0, legacyManual: 0, legacyAutomatic: 0, invalidLegacy: 0 };
  readonly #signing: { readonly key: KeyObject; readonly keyId: string };
  readonly #verifying: ReadonlyMap<string, KeyObject>;
  readonly #environment: Environment;
  readonly #verified = new LruCache<string, CheckedToken>(maxVerified);

  constructor({ issuers, privateKeyPem, verificationKeyPems = [], environment }: TokenKeysOptions) {
    this.issuers = issuers;
    this.#environment = environment;
    const key = createPrivateKey(privateKeyPem);
    const publicKeys = [createPublicKey(key), ...verificationKeyPems.map((pem) => createPublicKey(pem))];
    this.#signing = { key, keyId: keyIdOf(publicKeys[0]!) };
    this.#verifying = new Map(publicKeys.map((publicKey) => [keyIdOf(publicKey), publicKey]));
  }

  get issuer(): string {
    return this.issuers[0]!;
  }

  issue({ audiences, lifetimeSeconds, kubernetes }: TokenRequestOptions): {
    readonly token: string;
    readonly expiresAtMs: number;
    readonly id: string;
  } {
    const issuedAt = Math.floor(this.#environment.clock.now() / 1000);
    const claims: TokenClaims = {
      aud: audiences,
      exp: issuedAt + lifetimeSeconds,
      iat: issuedAt,
      iss: this.issuer,
      jti: randomUuid(this.#environment.random),
      'kubernetes.io': kubernetes,
      nbf: issuedAt,
      sub: `system:serviceaccount:${kubernetes.namespace}:${kubernetes.serviceaccount.name}`,
    };
    return { token: signJwt(claims, this.#signing), expiresAtMs: claims.exp * 1000, id: claims.jti };
  }

  /** The token of a Secret of type `kubernetes.io/service-account-token`. */
  issueLegacy(names: { readonly namespace: string; readonly secret: string; readonly account: ObjectClaim }): string {
    const { namespace, secret, account } = names;
    const claims: LegacyTokenClaims = {
      iss: legacyIssuer,
      'kubernetes.io/serviceaccount/namespace': namespace,
      'kubernetes.io/serviceaccount/secret.name': secret,
      'kubernetes.io/serviceaccount/service-account.name': account.name,
      'kubernetes.io/serviceaccount/service-account.uid': account.uid,
      sub: `system:serviceaccount:${namespace}:${account.name}`,
    };
    return signJwt(claims, this.#signing);
  }

  /** Whether a token is one of ours and in its time; whether its objects still exist is for the caller. */
  check(token: string): CheckedToken {
    let checked = this.#verified.get(token);
    if (checked === undefined) {
      checked = this.#verify(token);
      if (checked.type === 'foreign') return checked;
      this.#verified.set(token, checked);
    }
    if (checked.type !== 'bound') return checked;
    const { exp, nbf } = checked.claims;
    const now = this.#environment.clock.now() / 1000;
    if (exp + leewaySeconds <= now) return { type: 'refused', error: 'service account token has expired' };
    if (nbf > now + leewaySeconds) return { type: 'refused', error: 'service account token is not valid yet' };
    return checked;
  }

  #verify(token: string): CheckedToken {
    const jwt = parseJwt(token);
    const { iss } = jwt?.claims ?? {};
    if (jwt === undefined || !(iss === legacyIssuer || this.issuers.includes(iss as string)))
      return { type: 'foreign' };
    if (!this.#isOurs(jwt)) return { type: 'foreign' };
    if (iss === legacyIssuer) return { type: 'legacy', claims: jwt.claims as unknown as LegacyTokenClaims };
    const claims = jwt.claims as unknown as TokenClaims;
    return { type: 'bound', claims: { ...claims, aud: [claims.aud ?? []].flat() } };
  }

  #isOurs(jwt: Jwt): boolean {
    const named = jwt.keyId === undefined ? undefined : this.#verifying.get(jwt.keyId);
    if (named !== undefined) return isSignedBy(jwt, named);
    for (const key of this.#verifying.values()) if (isSignedBy(jwt, key)) return true;
    return false;
  }

  /** The JSON Web Key Set that verifiers outside the cluster read. */
  keySet(): object {
    const keys = [...this.#verifying].map(([kid, key]) => {
      const { kty, ...numbers } = key.export({ format: 'jwk' });
      return { use: 'sig', kty, kid, alg: algorithmOf(key), ...numbers };
    });
    return { keys };
  }

  /** What verifiers outside the cluster read first (OpenID Connect discovery, KEP-1393). */
  discoveryDocument(jwksUri: string): object {
    const used = [...this.#verifying.values()].map(algorithmOf);
    return {
      issuer: this.issuer,
      jwks_uri: jwksUri,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [...new Set(used)].sort(),
    };
  }
}

function keyIdOf(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
}
