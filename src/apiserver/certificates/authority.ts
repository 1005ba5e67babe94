import { createPrivateKey, generateKeyPairSync, randomBytes, webcrypto, X509Certificate } from 'node:crypto';

/** A certificate with its private key, both in PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export interface LeafOptions {
  readonly commonName: string;
  readonly organizations?: readonly string[];
  /** DNS names and IP addresses the certificate is good for. */
  readonly hosts?: readonly string[];
  readonly usage: 'server' | 'client';
  /** Wall-clock milliseconds. */
  readonly now: number;
}

const dayMs = 24 * 3600 * 1000;
const authorityDays = 3650;
const leafDays = 365;
/** A certificate with less than this left is made anew at the next start or renewal round. */
const renewBeforeMs = 60 * dayMs;

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** The library takes a while to load and only a first start or a renewal needs it. */
export async function library() {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(webcrypto as never);
  return x509;
}

function makeKeys(): { readonly key: string; readonly publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
  };
}

async function cryptoKeys({
  key,
  publicKey,
}: {
  readonly key: string;
  readonly publicKey: string;
}): Promise<webcrypto.CryptoKeyPair> {
  const pkcs8 = createPrivateKey(key).export({ type: 'pkcs8', format: 'der' });
  const privateKey = await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']);
  const imported = await webcrypto.subtle.importKey('spki', Buffer.from(publicKey, 'base64'), algorithm, true, [
    'verify',
  ]);
  return { privateKey, publicKey: imported };
}

/** A new certificate authority. */
export async function createAuthority(commonName: string, now: number): Promise<KeyPair> {
  const x509 = await library();
  const made = makeKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: randomBytes(8).toString('hex'),
    name: [{ CN: [commonName] }],
    notBefore: new Date(now - 5 * 60_000),
    notAfter: new Date(now + authorityDays * dayMs),
    signingAlgorithm: algorithm,
    keys: await cryptoKeys(made),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.cRLSign,
        true,
      ),
    ],
  });
  return { certificate: `${certificate.toString('pem')}\n`, key: made.key };
}

/** A certificate that the authority vouches for. */
export async function issueLeaf(authority: KeyPair, options: LeafOptions): Promise<KeyPair> {
  const x509 = await library();
  const made = makeKeys();
  const issuer = new x509.X509Certificate(authority.certificate);
  const pkcs8 = createPrivateKey(authority.key).export({ type: 'pkcs8', format: 'der' });
  const hosts = (options.hosts ?? []).map((host) => ({
    type: /^[\d.]+$|:/.test(host) ? ('ip' as const) : ('dns' as const),
    value: host,
  }));
  const purpose = options.usage === 'server' ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth;
  const organizations = options.organizations ?? [];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomBytes(8).toString('hex'),
    subject: [...(organizations.length === 0 ? [] : [{ O: [...organizations] }]), { CN: [options.commonName] }],
    issuer: issuer.subject,
    notBefore: new Date(options.now - 5 * 60_000),
    notAfter: new Date(options.now + leafDays * dayMs),
    signingAlgorithm: algorithm,
    publicKey: (await cryptoKeys(made)).publicKey,
    signingKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([purpose]),
      ...(hosts.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(hosts)]),
    ],
  });
  return { certificate: `${certificate.toString('pem')}\n`, key: made.key };
}

/** Whether a certificate is good for a while yet, for these hosts and this subject, and comes from this authority. */
export function isGood(pair: KeyPair, authority: KeyPair, options: LeafOptions): boolean {
  const certificate = new X509Certificate(pair.certificate);
  const issuer = new X509Certificate(authority.certificate);
  if (Date.parse(certificate.validTo) - options.now < renewBeforeMs || !certificate.verify(issuer.publicKey))
    return false;
  const names = certificate.subjectAltName ?? '';
  return (options.hosts ?? []).every((host) =>
    names.split(', ').some((name) => name === `DNS:${host}` || name === `IP Address:${host}`),
  );
}
