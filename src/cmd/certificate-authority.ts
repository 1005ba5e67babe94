import { X509Certificate } from 'node:crypto';
import type { KeyPair } from '#apiserver/certificates/authority.ts';
import { readCertificateRequest, signCertificateRequest } from '#apiserver/certificates/requests.ts';
import type { CertificateAuthority } from '#controllers/certificates/authority.ts';

/** The cluster's authority for the controllers that sign. @param now wall-clock milliseconds. */
export function certificateAuthority(authority: KeyPair, now: () => number): CertificateAuthority {
  return {
    read: readCertificateRequest,
    sign: (pem, { usages, lifetimeSeconds }) =>
      signCertificateRequest(authority, pem, { usages, lifetimeSeconds, now: now() }),
    endOf(pem) {
      try {
        return Date.parse(new X509Certificate(pem).validTo);
      } catch {
        return undefined;
      }
    },
  };
}
