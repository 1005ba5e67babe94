import { checkServerIdentity, type PeerCertificate } from 'node:tls';

/** What was wrong with the certificates of servers that this one calls, counted for metrics. */
export class CertificateProblems {
  /** Certificates that name their hosts nowhere but in the subject, which no client of Go's believes. */
  missingSan = 0;
  /** Certificates that were signed with SHA-1. */
  insecureSha1 = 0;

  /** For Node's TLS: what is wrong with a certificate that is valid as such. */
  readonly checkServerIdentity = (host: string, certificate: PeerCertificate): Error | undefined => {
    if (certificate.subjectaltname !== undefined) return checkServerIdentity(host, certificate);
    this.missingSan++;
    const error = new Error('certificate relies on legacy Common Name field, use SANs instead');
    return Object.assign(error, { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  };

  /** Takes note of why a connection failed. */
  note(error: unknown): void {
    if (error instanceof Error && /digest algorithm too weak/.test(error.message)) this.insecureSha1++;
  }
}
