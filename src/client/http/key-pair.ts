import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';

interface PemBlock {
  readonly type: string;
  readonly bytes: Buffer;
}

/** Why a certificate and a key, both PEM, do not serve TLS together, in Go's words; undefined when they do. */
export function keyPairProblem(certificates: string, keys: string): string | undefined {
  const certificateBlocks = pemBlocks(certificates);
  const first = certificateBlocks.find(({ type }) => type === 'CERTIFICATE');
  if (first === undefined) return missingCertificate(certificateBlocks);
  const keyBlocks = pemBlocks(keys);
  const keyBlock = keyBlocks.find(({ type }) => isKey(type));
  if (keyBlock === undefined) return missingKey(keyBlocks);
  const certificate = parsed(() => new X509Certificate(first.bytes));
  if (certificate === undefined) return 'x509: malformed certificate';
  const key = privateKey(keyBlock.bytes);
  if (key === undefined) return 'tls: failed to parse private key';
  if (certificate.publicKey.asymmetricKeyType !== key.asymmetricKeyType)
    return 'tls: private key type does not match public key type';
  return certificate.checkPrivateKey(key) ? undefined : 'tls: private key does not match public key';
}

function isKey(type: string): boolean {
  return type === 'PRIVATE KEY' || type.endsWith(' PRIVATE KEY');
}

function missingCertificate(found: readonly PemBlock[]): string {
  if (found.length === 0) return 'tls: failed to find any PEM data in certificate input';
  if (found.length === 1 && found[0]!.type.endsWith('PRIVATE KEY'))
    return 'tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched';
  return `tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: ${typesOf(found)}`;
}

function missingKey(found: readonly PemBlock[]): string {
  if (found.length === 0) return 'tls: failed to find any PEM data in key input';
  if (found.length === 1 && found[0]!.type === 'CERTIFICATE')
    return 'tls: found a certificate rather than a key in the PEM for the private key';
  return `tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: ${typesOf(found)}`;
}

function typesOf(blocks: readonly PemBlock[]): string {
  return `[${blocks.map(({ type }) => type).join(' ')}]`;
}

/** Everything between BEGIN and END lines that is base64, wherever in the text it stands. */
function pemBlocks(text: string): readonly PemBlock[] {
  const blocks: PemBlock[] = [];
  for (const [, type, body] of text.matchAll(
    /^-----BEGIN ([^\r\n-]+)-----\r?\n([^-]*(?:-(?!----)[^-]*)*)-----END \1-----/gm,
  )) {
    const content = body!.replace(/^(?:[A-Za-z-]+: .*\r?\n)+\r?\n/, '').replace(/\s/g, '');
    if (/^[A-Za-z0-9+/]*={0,2}$/.test(content)) blocks.push({ type: type!, bytes: Buffer.from(content, 'base64') });
  }
  return blocks;
}

function privateKey(key: Buffer): KeyObject | undefined {
  for (const type of ['pkcs1', 'pkcs8', 'sec1'] as const) {
    const read = parsed(() => createPrivateKey({ key, format: 'der', type }));
    if (read !== undefined) return read;
  }
  return undefined;
}

function parsed<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
