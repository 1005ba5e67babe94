import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  createAuthority,
  isGood,
  issueLeaf,
  type KeyPair,
  type LeafOptions,
} from '#apiserver/certificates/authority.ts';
import { formatIpv4, parseIpRange } from '#apiserver/services/ip-range.ts';
import { newSigningKey } from './signing-key.ts';

/** The keys and certificates of a cluster. */
export interface Pki {
  readonly authority: KeyPair;
  readonly serving: KeyPair;
  readonly admin: KeyPair;
  /** Vouches for proxies that say whom they speak for; the server is one towards aggregated servers. */
  readonly frontProxyAuthority: KeyPair;
  readonly proxyClient: KeyPair;
  /** Signs service-account tokens. */
  readonly tokenSigningKey: string;
}

/** The common name by which aggregated servers know this one. */
export const proxyClientName = 'front-proxy-client';

/** Reads the cluster's keys from `folder`; makes what is missing and renews what is about to expire. */
export async function ensurePki(
  folder: string,
  { hosts, now }: { readonly hosts: readonly string[]; readonly now: number },
): Promise<Pki> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const authority = readPair(folder, 'ca') ?? writePair(folder, 'ca', await createAuthority('proa-ca', now));
  const frontProxyAuthority =
    readPair(folder, 'front-proxy-ca') ??
    writePair(folder, 'front-proxy-ca', await createAuthority('proa-front-proxy-ca', now));
  const leaf = async (name: string, options: LeafOptions, issuer = authority): Promise<KeyPair> => {
    const known = readPair(folder, name);
    if (known !== undefined && isGood(known, issuer, options)) return known;
    return writePair(folder, name, await issueLeaf(issuer, options));
  };
  return {
    authority,
    serving: await leaf('apiserver', { commonName: 'kube-apiserver', hosts, usage: 'server', now }),
    admin: await leaf('admin', {
      commonName: 'kubernetes-admin',
      organizations: ['system:masters'],
      usage: 'client',
      now,
    }),
    frontProxyAuthority,
    proxyClient: await leaf(
      'front-proxy-client',
      { commonName: proxyClientName, usage: 'client', now },
      frontProxyAuthority,
    ),
    tokenSigningKey: ensureSigningKey(folder),
  };
}

function ensureSigningKey(folder: string): string {
  const file = join(folder, 'sa.key');
  if (existsSync(file)) return readFileSync(file, 'utf8');
  const key = newSigningKey();
  writeSecret(file, key);
  return key;
}

function readPair(folder: string, name: string): KeyPair | undefined {
  const [certificate, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  if (!existsSync(certificate) || !existsSync(key)) return undefined;
  return { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
}

function writePair(folder: string, name: string, pair: KeyPair): KeyPair {
  writeSecret(join(folder, `${name}.key`), pair.key);
  writeSecret(join(folder, `${name}.crt`), pair.certificate);
  return pair;
}

/** Whole or not at all, and for its owner's eyes only. */
function writeSecret(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Names and addresses by which clients reach the server, on the machine and in the cluster. */
export function servingHosts(place: {
  readonly address: string;
  readonly serviceCidr: string;
  readonly clusterDomain?: string;
}): readonly string[] {
  const names = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
  const inDomain = place.clusterDomain === undefined ? [] : [`kubernetes.default.svc.${place.clusterDomain}`];
  const serviceAddress = formatIpv4(parseIpRange(place.serviceCidr).first + 1);
  return [...new Set([...names, ...inDomain, '127.0.0.1', place.address, serviceAddress])];
}
