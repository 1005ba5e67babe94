import type { Random } from '#base/random.ts';
import { parseDuration } from '#machinery/time.ts';
import { parseYaml } from '#machinery/yaml.ts';
import { aesCbc, aesGcm, secretbox } from './ciphers.ts';
import type { KmsEnvelope } from './kms/envelope.ts';
import { identity, type Provider, type Transformer } from './transformer.ts';

/** An EncryptionConfiguration that has been checked: what seals which resources, in order. */
export interface EncryptionRules {
  readonly rules: readonly {
    /** `secrets`, `deployments.apps`, `*.apps`, `*.` (core), `*.*`. */
    readonly resources: readonly string[];
    readonly providers: readonly Provider[];
  }[];
  readonly envelopes: readonly KmsEnvelope[];
}

export interface KmsSettings {
  readonly name: string;
  readonly endpoint: string;
  readonly timeoutMs: number;
}

type Mapping = Readonly<Record<string, unknown>>;

const gcmLengths = [16, 24, 32];

/**
 * Reads an EncryptionConfiguration (apiserver.config.k8s.io/v1).
 * @throws Error that names everything wrong with it, by path.
 */
export function readEncryptionConfiguration(
  text: string,
  tools: { readonly random: Random; readonly openKms: (settings: KmsSettings) => KmsEnvelope },
): EncryptionRules {
  const problems: string[] = [];
  const envelopes: KmsEnvelope[] = [];
  const root = mapping(parseYaml(text));
  if (root['kind'] !== 'EncryptionConfiguration' && root['kind'] !== 'EncryptionConfig')
    problems.push(
      `kind: Unsupported value: ${JSON.stringify(root['kind'])}: supported values: "EncryptionConfiguration"`,
    );
  const entries = list(root['resources']);
  if (entries.length === 0) problems.push('resources: Required value: at least one configuration is required');
  const rules = entries.map((entry, index) => {
    const at = `resources[${index}]`;
    const { resources, providers } = mapping(entry);
    const names = list(resources).map(String);
    if (names.length === 0) problems.push(`${at}.resources: Required value: at least one resource is required`);
    for (const [position, name] of names.entries())
      problems.push(...nameProblems(name, `${at}.resources[${position}]`));
    if (list(providers).length === 0)
      problems.push(`${at}.providers: Required value: at least one provider is required`);
    const read = list(providers).flatMap((provider, position) =>
      readProvider(mapping(provider), `${at}.providers[${position}]`, { ...tools, problems, envelopes }),
    );
    return { resources: names, providers: read };
  });
  if (problems.length === 0) return { rules, envelopes };
  for (const envelope of envelopes) envelope.close();
  throw new Error(problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`);
}

function* nameProblems(name: string, at: string): Generator<string> {
  const quoted = JSON.stringify(name);
  if (name === '*')
    yield `${at}: Invalid value: ${quoted}: use '*.' to encrypt all the resources from core API group or *.* to encrypt all resources`;
  else if (name !== name.toLowerCase())
    yield `${at}: Invalid value: ${quoted}: resource name should not contain capital letters`;
  else if (name.startsWith('*') && !/^\*\.(\*|[a-z0-9.-]*)$/.test(name))
    yield `${at}: Invalid value: ${quoted}: wildcards must be of the form *.<group>`;
}

interface Reading {
  readonly random: Random;
  readonly openKms: (settings: KmsSettings) => KmsEnvelope;
  readonly problems: string[];
  readonly envelopes: KmsEnvelope[];
}

function readProvider(provider: Mapping, at: string, reading: Reading): readonly Provider[] {
  const kinds = ['aesgcm', 'aescbc', 'secretbox', 'identity', 'kms'].filter((kind) => kind in provider);
  const { problems, random } = reading;
  if (kinds.length !== 1) {
    problems.push(
      kinds.length === 0
        ? `${at}: Required value: provider does not contain any of the expected providers: KMS, AESGCM, AESCBC, Secretbox, Identity`
        : `${at}: Invalid value: more than one provider specified in a single element, should split into different list elements`,
    );
    return [];
  }
  switch (kinds[0]) {
    case 'aesgcm':
      return keyed(provider['aesgcm'], `${at}.aesgcm`, { name: 'aesgcm', lengths: gcmLengths, problems }, (key) =>
        aesGcm(key, random),
      );
    case 'aescbc':
      return keyed(provider['aescbc'], `${at}.aescbc`, { name: 'aescbc', lengths: gcmLengths, problems }, (key) =>
        aesCbc(key, random),
      );
    case 'secretbox':
      return keyed(provider['secretbox'], `${at}.secretbox`, { name: 'secretbox', lengths: [32], problems }, (key) =>
        secretbox(key, random),
      );
    case 'kms':
      return readKms(mapping(provider['kms']), `${at}.kms`, reading);
    default:
      return [identity];
  }
}

function keyed(
  section: unknown,
  at: string,
  options: { readonly name: string; readonly lengths: readonly number[]; readonly problems: string[] },
  make: (key: Uint8Array) => Transformer,
): readonly Provider[] {
  const { name: kind, lengths, problems } = options;
  const keys = list(mapping(section)['keys']);
  if (keys.length === 0) problems.push(`${at}.keys: Required value: at least one key is required`);
  const names = new Set<string>();
  return keys.flatMap((entry, index) => {
    const { name, secret } = mapping(entry);
    const path = `${at}.keys[${index}]`;
    if (typeof name !== 'string' || name === '')
      problems.push(`${path}.name: Required value: key name must not be empty`);
    else if (names.has(name)) problems.push(`${path}.name: Invalid value: ${JSON.stringify(name)}: duplicate key name`);
    names.add(String(name));
    if (typeof secret !== 'string' || secret === '') {
      problems.push(`${path}.secret: Required value: secret must not be empty`);
      return [];
    }
    const key = Buffer.from(secret, 'base64');
    if (!lengths.includes(key.length)) {
      problems.push(
        `${path}.secret: Invalid value: "REDACTED": secret is not of the expected length, got ${key.length}, expected one of [${lengths.join(' ')}]`,
      );
      return [];
    }
    return [{ prefix: `k8s:enc:${kind}:v1:${name}:`, transformer: make(key) }];
  });
}

const defaultTimeoutMs = 3000;

function readKms(section: Mapping, at: string, { openKms, problems, envelopes }: Reading): readonly Provider[] {
  const { name, endpoint, apiVersion = 'v1', timeout } = section;
  const before = problems.length;
  if (apiVersion !== 'v2')
    problems.push(
      `${at}.apiVersion: Invalid value: ${JSON.stringify(apiVersion)}: KMS API version v1 is disabled, use v2`,
    );
  if (typeof name !== 'string' || name === '')
    problems.push(`${at}.name: Required value: provider name must not be empty`);
  else if (name.includes(':'))
    problems.push(`${at}.name: Invalid value: ${JSON.stringify(name)}: the name must not contain a colon`);
  if (typeof endpoint !== 'string' || !endpoint.startsWith('unix://'))
    problems.push(
      `${at}.endpoint: Invalid value: ${JSON.stringify(endpoint ?? '')}: unsupported scheme, only unix is supported`,
    );
  const timeoutMs = timeout === undefined ? defaultTimeoutMs : parseDuration(String(timeout));
  if (timeoutMs === undefined || timeoutMs <= 0)
    problems.push(`${at}.timeout: Invalid value: ${JSON.stringify(timeout)}: timeout should be a positive value`);
  if (problems.length > before) return [];
  const envelope = openKms({ name: name as string, endpoint: endpoint as string, timeoutMs: timeoutMs! });
  envelopes.push(envelope);
  return [{ prefix: `k8s:enc:kms:v2:${name}:`, transformer: envelope }];
}

function mapping(value: unknown): Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Mapping) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
