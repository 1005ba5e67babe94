import type { SecureContextOptions } from 'node:tls';

/**
 * Who a connection believes: whoever these certificates (PEM) vouch for, or, without any, the machine's authorities. Each
 * counts by itself, as in Go, also an intermediate's or the peer's own: envtest gives webhooks' own as their caBundle.
 */
export function trusting(certificates: string | readonly string[] | undefined): SecureContextOptions {
  return certificates === undefined ? {} : { ca: [certificates].flat(), allowPartialTrustChain: true };
}
