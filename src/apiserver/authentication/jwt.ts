import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { base64UrlToBytes, bytesToBase64Url, decodeBase64Url, encodeBase64Url } from '#machinery/base64.ts';

/** The longest token that is looked at. */
const maxTokenLength = 64 * 1024;

/** A JSON Web Token taken apart; nothing of it is believed yet. */
export interface Jwt {
  readonly algorithm: string;
  readonly keyId: string | undefined;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly signed: string;
  readonly signature: Uint8Array;
}

/** Undefined for anything that is not a signed token in compact form. */
export function parseJwt(token: string): Jwt | undefined {
  if (token.length > maxTokenLength) return undefined;
  const [header = '', payload = '', signature = '', ...more] = token.split('.');
  if (more.length > 0 || signature === '') return undefined;
  try {
    const { alg, kid } = object(JSON.parse(decodeBase64Url(header)));
    const claims = object(JSON.parse(decodeBase64Url(payload)));
    if (typeof alg !== 'string') return undefined;
    return {
      algorithm: alg,
      keyId: typeof kid === 'string' ? kid : undefined,
      claims,
      signed: `${header}.${payload}`,
      signature: base64UrlToBytes(signature),
    };
  } catch {
    return undefined;
  }
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('not an object');
  return value as Readonly<Record<string, unknown>>;
}

interface Algorithm {
  readonly hash: string;
  readonly keyType: 'ec' | 'rsa';
  readonly curve?: string;
  readonly pss?: boolean;
}

/** Asymmetric algorithms only: a key that verifies must not be able to sign. */
const algorithms: Readonly<Record<string, Algorithm>> = {
  ES256: { hash: 'sha256', keyType: 'ec', curve: 'prime256v1' },
  ES384: { hash: 'sha384', keyType: 'ec', curve: 'secp384r1' },
  ES512: { hash: 'sha512', keyType: 'ec', curve: 'secp521r1' },
  RS256: { hash: 'sha256', keyType: 'rsa' },
  RS384: { hash: 'sha384', keyType: 'rsa' },
  RS512: { hash: 'sha512', keyType: 'rsa' },
  PS256: { hash: 'sha256', keyType: 'rsa', pss: true },
  PS384: { hash: 'sha384', keyType: 'rsa', pss: true },
  PS512: { hash: 'sha512', keyType: 'rsa', pss: true },
};

/** Whether the key made the token's signature, with an algorithm that fits the key. */
export function isSignedBy({ algorithm: name, signed, signature }: Jwt, key: KeyObject): boolean {
  const algorithm = Object.hasOwn(algorithms, name) ? algorithms[name]! : undefined;
  if (algorithm === undefined || key.asymmetricKeyType !== algorithm.keyType) return false;
  if (algorithm.curve !== undefined && key.asymmetricKeyDetails?.namedCurve !== algorithm.curve) return false;
  return verify(algorithm.hash, Buffer.from(signed), { key, ...padding(algorithm) }, signature);
}

function padding({ keyType, pss }: Algorithm): object {
  if (keyType === 'ec') return { dsaEncoding: 'ieee-p1363' };
  // RSA_PKCS1_PSS_PADDING with a salt as long as the digest.
  return pss === true ? { padding: 6, saltLength: -1 } : {};
}

/** The algorithm that a private key signs with. @throws Error for keys that tokens are not signed with. */
export function algorithmOf(key: KeyObject): string {
  if (key.asymmetricKeyType === 'rsa') return 'RS256';
  const curve = key.asymmetricKeyDetails?.namedCurve;
  for (const [name, algorithm] of Object.entries(algorithms))
    if (key.asymmetricKeyType === 'ec' && algorithm.curve === curve) return name;
  throw new Error('tokens are signed with RSA keys or EC keys on P-256, P-384 or P-521');
}

export function signJwt(claims: object, { key, keyId }: { readonly key: KeyObject; readonly keyId: string }): string {
  const name = algorithmOf(key);
  const signed = `${encodeBase64Url(JSON.stringify({ alg: name, kid: keyId }))}.${encodeBase64Url(JSON.stringify(claims))}`;
  const algorithm = algorithms[name]!;
  const signature = sign(algorithm.hash, Buffer.from(signed), { key, ...padding(algorithm) });
  return `${signed}.${bytesToBase64Url(signature)}`;
}

/** A public key of a JSON Web Key Set; undefined for keys that verify no signature. */
export function keyOfJwk(jwk: unknown): { readonly keyId: string | undefined; readonly key: KeyObject } | undefined {
  try {
    const { kid, use } = object(jwk);
    if (use !== undefined && use !== 'sig') return undefined;
    const key = createPublicKey({ key: jwk as never, format: 'jwk' });
    return { keyId: typeof kid === 'string' ? kid : undefined, key };
  } catch {
    return undefined;
  }
}
