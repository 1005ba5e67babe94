import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import type { Environment } from '#base/environment.ts';
import { randomUuid } from '#base/random.ts';
import { base64UrlToBytes, bytesToBase64Url, decodeBase64Url, encodeBase64Url } from '#machinery/base64.ts';

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
    readonly serviceaccount: { readonly name: string; readonly uid: string };
    readonly pod?: { readonly name: string; readonly uid: string };
    readonly secret?: { readonly name: string; readonly uid: string };
    readonly node?: { readonly name: string; readonly uid?: string };
  };
}

export interface TokenRequestOptions {
  readonly audiences: readonly string[];
  readonly lifetimeSeconds: number;
  readonly kubernetes: TokenClaims['kubernetes.io'];
}

/** Tokens whose signature was checked lately, so that a busy pod pays once. */
const maxVerified = 4096;

/** Issues and checks service-account tokens: JWTs signed with the cluster's key. */
export class ServiceAccountTokens {
  readonly issuer: string;
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;
  readonly #keyId: string;
  readonly #environment: Environment;
  readonly #verified = new Map<string, TokenClaims>();

  /** @param privateKeyPem an EC P-256 key in PEM. */
  constructor(options: { readonly issuer: string; readonly privateKeyPem: string; readonly environment: Environment }) {
    this.issuer = options.issuer;
    this.#privateKey = createPrivateKey(options.privateKeyPem);
    this.#publicKey = createPublicKey(this.#privateKey);
    this.#environment = options.environment;
    const spki = this.#publicKey.export({ type: 'spki', format: 'der' });
    this.#keyId = createHash('sha256').update(spki).digest('base64url');
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
    const signed = `${encodeBase64Url(JSON.stringify({ alg: 'ES256', kid: this.#keyId }))}.${encodeBase64Url(JSON.stringify(claims))}`;
    const signature = sign('sha256', Buffer.from(signed), { key: this.#privateKey, dsaEncoding: 'ieee-p1363' });
    return { token: `${signed}.${bytesToBase64Url(signature)}`, expiresAtMs: claims.exp * 1000, id: claims.jti };
  }

  /** The claims of a token of ours that is still valid; whether its objects still exist is for the caller. */
  check(token: string): TokenClaims | undefined {
    const claims = this.#verified.get(token) ?? this.#verify(token);
    const now = this.#environment.clock.now() / 1000;
    return claims === undefined || claims.exp <= now || claims.nbf > now + 10 ? undefined : claims;
  }

  #verify(token: string): TokenClaims | undefined {
    const [header = '', payload = '', signature = '', ...more] = token.split('.');
    if (more.length > 0 || signature === '') return undefined;
    try {
      const { alg } = JSON.parse(decodeBase64Url(header)) as { alg?: unknown };
      if (alg !== 'ES256') return undefined;
      const key = { key: this.#publicKey, dsaEncoding: 'ieee-p1363' as const };
      if (!verify('sha256', Buffer.from(`${header}.${payload}`), key, base64UrlToBytes(signature))) return undefined;
      const claims = JSON.parse(decodeBase64Url(payload)) as TokenClaims;
      if (claims.iss !== this.issuer) return undefined;
      if (this.#verified.size >= maxVerified) this.#verified.clear();
      this.#verified.set(token, claims);
      return claims;
    } catch {
      return undefined;
    }
  }

  /** The JSON Web Key Set that verifiers outside the cluster read. */
  keySet(): object {
    const { kty, crv, x, y } = this.#publicKey.export({ format: 'jwk' });
    return { keys: [{ use: 'sig', kty, kid: this.#keyId, crv, alg: 'ES256', x, y }] };
  }
}
