import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority, issueLeaf, type KeyPair } from '#apiserver/certificates/authority.ts';
import type { NamedCertificate } from '#apiserver/http/named-certificates.ts';
import { FlagError, type Flags } from './flags.ts';

const defaultCertDir = '/var/run/kubernetes';

/** The serving certificate that the flags name; one of our own making where there is none. */
export async function servingCertificate(flags: Flags, hosts: readonly string[], now: number): Promise<KeyPair> {
  const [certFile, keyFile] = [flags.text('tls-cert-file'), flags.text('tls-private-key-file')];
  if (certFile !== undefined && keyFile !== undefined) return readPair(certFile, keyFile);
  const folder = flags.text('cert-dir') ?? defaultCertDir;
  const [certificate, key] = [join(folder, 'apiserver.crt'), join(folder, 'apiserver.key')];
  if (existsSync(certificate) && existsSync(key)) return readPair(certificate, key);
  const made = await issueLeaf(await createAuthority('kube-apiserver-ca', now), {
    commonName: 'kube-apiserver',
    hosts,
    usage: 'server',
    now,
  });
  mkdirSync(folder, { recursive: true });
  writeFileSync(certificate, made.certificate);
  writeFileSync(key, made.key, { mode: 0o600 });
  return made;
}

function readPair(certificate: string, key: string): KeyPair {
  return { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
}

/** `--tls-sni-cert-key=FILE,FILE:*.example.com,example.com`: certificates for those who ask for a host by its name. */
export function namedCertificates(flags: Flags): readonly NamedCertificate[] | undefined {
  return flags.all('tls-sni-cert-key')?.map((text) => {
    const [files = '', names = ''] = text.split(':');
    const [certificate = '', key = '', ...more] = files.split(',');
    if (certificate === '' || key === '' || more.length > 0)
      throw new FlagError(
        `invalid argument ${JSON.stringify(text)} for "--tls-sni-cert-key" flag: expected comma separated certificate and key file paths`,
      );
    try {
      const pair = readPair(certificate, key);
      return { ...pair, hosts: names === '' ? hostsOf(pair.certificate) : names.split(',') };
    } catch (error) {
      throw new FlagError(`failed to load SNI cert and key: ${error instanceof Error ? error.message : String(error)}`);
    }
  });
}

/** What a certificate itself says it is for. */
function hostsOf(certificate: string): readonly string[] {
  const { subject, subjectAltName = '' } = new X509Certificate(certificate);
  const common = /^CN=(.*)$/m.exec(subject)?.[1];
  const names = [...subjectAltName.matchAll(/DNS:([^,]+)/g)].map(([, name]) => name!);
  return common === undefined ? names : [common, ...names];
}
