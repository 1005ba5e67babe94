import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { trusting } from '#client/http/trust.ts';

/** A certificate for those who ask for a host by its name. */
export interface NamedCertificate {
  readonly certificate: string;
  readonly key: string;
  /** Names, `*.example.com` among them: it stands for one label. */
  readonly hosts: readonly string[];
}

/** What Node's TLS server calls with the name that a client asks for; without an answer it takes its own certificate. */
export function certificateByName(
  certificates: readonly NamedCertificate[],
  clientCa: string | readonly string[],
  secure: SecureContextOptions,
): (name: string, answer: (error: Error | null, context?: SecureContext) => void) => void {
  const byHost = new Map<string, SecureContext>();
  for (const { certificate, key, hosts } of certificates) {
    const context = createSecureContext({ ...secure, cert: certificate, key, ...trusting(clientCa) });
    // The first that is given for a name has it.
    for (const host of hosts.map((name) => name.toLowerCase())) if (!byHost.has(host)) byHost.set(host, context);
  }
  return (name, answer) => {
    const host = name.toLowerCase();
    answer(null, byHost.get(host) ?? byHost.get(host.replace(/^[^.]+/, '*')));
  };
}
