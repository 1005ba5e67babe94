import { createPrivateKey, randomBytes, webcrypto } from 'node:crypto';
import { type KeyPair, library } from './authority.ts';

/** What a certificate signing request (PKCS#10) asks for. */
export interface RequestedCertificate {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly emailAddresses: readonly string[];
  readonly uris: readonly string[];
}

/** @throws Error when the text is no request, or the request is not signed with its own key. */
export async function readCertificateRequest(pem: string): Promise<RequestedCertificate> {
  const request = await parse(pem);
  if (!(await request.verify())) throw new Error('the request is not signed with its own key');
  const x509 = await library();
  const alternative = request.extensions.find((one) => one instanceof x509.SubjectAlternativeNameExtension);
  const names = alternative?.names.toJSON() ?? [];
  const ofType = (type: string): readonly string[] =>
    names.filter((name) => name.type === type).map(({ value }) => value);
  return {
    commonName: request.subjectName.getField('CN')[0] ?? '',
    organizations: request.subjectName.getField('O'),
    dnsNames: ofType('dns'),
    ipAddresses: ofType('ip'),
    emailAddresses: ofType('email'),
    uris: ofType('url'),
  };
}

async function parse(pem: string) {
  const x509 = await library();
  if (!/-----BEGIN (NEW )?CERTIFICATE REQUEST-----/.test(pem))
    throw new Error('PEM block type must be CERTIFICATE REQUEST');
  return new x509.Pkcs10CertificateRequest(pem);
}

export interface SigningOptions {
  /** certificates.k8s.io usages, for example `client auth`. */
  readonly usages: readonly string[];
  readonly lifetimeSeconds: number;
  /** Wall-clock milliseconds. */
  readonly now: number;
}

const backdateMs = 5 * 60_000;

/** A certificate in PEM for what a request asks for, signed by the authority. It never outlives the authority. */
export async function signCertificateRequest(
  authority: KeyPair,
  pem: string,
  options: SigningOptions,
): Promise<string> {
  const x509 = await library();
  const request = await parse(pem);
  const issuer = new x509.X509Certificate(authority.certificate);
  const alternative = request.extensions.find((one) => one instanceof x509.SubjectAlternativeNameExtension);
  const pkcs8 = createPrivateKey(authority.key).export({ type: 'pkcs8', format: 'der' });
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
  const notAfterMs = Math.min(options.now + options.lifetimeSeconds * 1000, issuer.notAfter.getTime());
  const { keyUsages, extended } = await usagesOf(options.usages);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomBytes(16).toString('hex'),
    subject: request.subject,
    issuer: issuer.subject,
    notBefore: new Date(options.now - backdateMs),
    notAfter: new Date(notAfterMs),
    signingAlgorithm: algorithm,
    publicKey: request.publicKey,
    signingKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']),
    extensions: [
      // An extension that allows nothing is no valid one.
      ...(keyUsages === 0 ? [] : [new x509.KeyUsagesExtension(keyUsages, true)]),
      ...(extended.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension(extended)]),
      new x509.BasicConstraintsExtension(false, undefined, true),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      ...(alternative === undefined ? [] : [alternative]),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}

/** Usages of certificates.k8s.io as X.509 has them. */
async function usagesOf(usages: readonly string[]): Promise<{ keyUsages: number; extended: string[] }> {
  const { KeyUsageFlags: flags } = await library();
  const byName: Readonly<Record<string, number>> = {
    signing: flags.digitalSignature,
    'digital signature': flags.digitalSignature,
    'content commitment': flags.nonRepudiation,
    'key encipherment': flags.keyEncipherment,
    'key agreement': flags.keyAgreement,
    'data encipherment': flags.dataEncipherment,
    'cert sign': flags.keyCertSign,
    'crl sign': flags.cRLSign,
    'encipher only': flags.encipherOnly,
    'decipher only': flags.decipherOnly,
  };
  let keyUsages = 0;
  const extended: string[] = [];
  for (const usage of usages) {
    keyUsages |= byName[usage] ?? 0;
    const identifier = extendedUsages[usage];
    if (identifier !== undefined) extended.push(identifier);
  }
  return { keyUsages, extended };
}

const extendedUsages: Readonly<Record<string, string>> = {
  any: '2.5.29.37.0',
  'server auth': '1.3.6.1.5.5.7.3.1',
  'client auth': '1.3.6.1.5.5.7.3.2',
  'code signing': '1.3.6.1.5.5.7.3.3',
  'email protection': '1.3.6.1.5.5.7.3.4',
  's/mime': '1.3.6.1.5.5.7.3.4',
  'ipsec end system': '1.3.6.1.5.5.7.3.5',
  'ipsec tunnel': '1.3.6.1.5.5.7.3.6',
  'ipsec user': '1.3.6.1.5.5.7.3.7',
  timestamping: '1.3.6.1.5.5.7.3.8',
  'ocsp signing': '1.3.6.1.5.5.7.3.9',
  'microsoft sgc': '1.3.6.1.4.1.311.10.3.3',
  'netscape sgc': '2.16.840.1.113730.4.1',
};
