import { createHash, X509Certificate } from 'node:crypto';
import { LruCache } from '#base/lru-cache.ts';
import type { UserInfo } from '../registry/operation.ts';

/** A client certificate that TLS has checked against some authority of ours. */
export interface ClientCertificate {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly uid?: string;
  /** SHA-256 of the certificate, in lower-case hexadecimal. */
  readonly fingerprint: string;
  /** Fingerprints of it and of all that vouch for it, up to the root. */
  readonly chain: readonly string[];
  /** Wall-clock milliseconds. */
  readonly expiresAtMs: number;
}

/** Certificates whose users are remembered, so that what is known of a user is shared by their connections. */
const maxCertificates = 4096;

/** A set of authorities from PEM, by which one can tell whom a chain leads to. */
export class Authorities {
  readonly #fingerprints: ReadonlySet<string>;

  constructor(pem: string) {
    this.#fingerprints = new Set(
      certificatesOf(pem).map((one) => createHash('sha256').update(new X509Certificate(one).raw).digest('hex')),
    );
  }

  vouchFor({ chain }: ClientCertificate): boolean {
    return chain.some((fingerprint) => this.#fingerprints.has(fingerprint));
  }
}

/** The certificates in a PEM bundle. */
function certificatesOf(pem: string): readonly string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
}

/** Users by their certificates: the common name is the name, each organization a group. */
export class CertificateUsers {
  readonly #users = new LruCache<string, UserInfo>(maxCertificates);

  userOf(certificate: ClientCertificate): UserInfo {
    let user = this.#users.get(certificate.fingerprint);
    if (user === undefined) {
      const { commonName: name, organizations, uid, fingerprint } = certificate;
      user = {
        name,
        ...(uid === undefined ? {} : { uid }),
        groups: [...organizations, 'system:authenticated'],
        extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${fingerprint}`] },
      };
      this.#users.set(fingerprint, user);
    }
    return user;
  }
}
