import type { CertificateSubject } from './authority.ts';

/** A question about a request: what it asks for, and the usages beside it. */
export interface Recognizable {
  readonly subject: CertificateSubject;
  readonly usages: readonly string[];
}

const clientUsages = ['client auth', 'digital signature', 'key encipherment'];
const servingUsages = ['server auth', 'digital signature', 'key encipherment'];

/** Why a request is no node's client certificate; undefined when it is. */
export function notNodeClient({ subject, usages }: Recognizable): string | undefined {
  if (!isNodeOrganization(subject)) return 'subject organization is not system:nodes';
  if (subject.dnsNames.length > 0) return 'DNS subjectAltNames are not allowed';
  if (subject.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed';
  if (subject.ipAddresses.length > 0) return 'IP subjectAltNames are not allowed';
  if (subject.uris.length > 0) return 'URI subjectAltNames are not allowed';
  if (!subject.commonName.startsWith('system:node:')) return 'subject common name does not begin with system:node:';
  // Keys of elliptic curves encipher nothing.
  if (!hasExactly(usages, clientUsages) && !hasExactly(usages, clientUsages.slice(0, 2)))
    return 'usages did not match: [client auth digital signature key encipherment]';
  return undefined;
}

/** Why a request is no node's serving certificate; undefined when it is. */
export function notNodeServing({ subject, usages }: Recognizable): string | undefined {
  if (!isNodeOrganization(subject)) return 'subject organization is not system:nodes';
  if (subject.dnsNames.length + subject.ipAddresses.length === 0) return 'DNS or IP subjectAltName is required';
  if (subject.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed';
  if (subject.uris.length > 0) return 'URI subjectAltNames are not allowed';
  if (!hasExactly(usages, servingUsages) && !hasExactly(usages, servingUsages.slice(0, 2)))
    return 'usages did not match: [server auth digital signature key encipherment]';
  if (!subject.commonName.startsWith('system:node:')) return 'subject common name does not begin with system:node:';
  return undefined;
}

/** Why a request is no client's certificate; undefined when it is. */
export function notClient({ usages }: Recognizable): string | undefined {
  if (!usages.includes('client auth')) return 'missing required usage: client auth';
  const strange = usages.find((usage) => !clientUsages.includes(usage));
  return strange === undefined ? undefined : `invalid usage for client certificate: ${strange}`;
}

function isNodeOrganization({ organizations }: CertificateSubject): boolean {
  return organizations.length === 1 && organizations[0] === 'system:nodes';
}

function hasExactly(usages: readonly string[], wanted: readonly string[]): boolean {
  return usages.length === wanted.length && wanted.every((usage) => usages.includes(usage));
}
