import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
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
import { UserError } from './data-folder.ts';
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
    const known = readPair(folder, name, makeAnew);
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
  if (existsSync(file)) {
    const known = readFileSync(file, 'utf8');
    readKey(file, known, startAnew);
    return known;
  }
  const key = newSigningKey();
  writeSecret(file, key);
  return key;
}

const startAnew = 'restore it from a backup, or start anew with "proa reset"';
const makeAnew = 'remove it, and it is made anew';

/** Undefined where one of the two is missing. @throws UserError for what is damaged, with what is to be done about it. */
function readPair(folder: string, name: string, remedy = startAnew): KeyPair | undefined {
  const [certificateFile, keyFile] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  if (!existsSync(certificateFile) || !existsSync(keyFile)) return undefined;
  const pair = { certificate: readFileSync(certificateFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
  const key = readKey(keyFile, pair.key, remedy);
  const certificate = sound(certificateFile, remedy, () => new X509Certificate(pair.certificate));
  if (!certificate.checkPrivateKey(key))
    throw new UserError(`${keyFile} is not the key of ${certificateFile}: ${remedy}`);
  return pair;
}

function readKey(file: string, text: string, remedy: string): KeyObject {
  return sound(file, remedy, () => createPrivateKey(text));
}

function sound<T>(file: string, remedy: string, read: () => T): T {
  try {
    return read();
  } catch {
    throw new UserError(`${file} is damaged: ${remedy}`);
  }
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
