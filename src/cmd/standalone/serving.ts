import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority, issueLeaf, type KeyPair } from '#apiserver/certificates/authority.ts';
import type { Flags } from './flags.ts';

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
