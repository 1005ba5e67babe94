import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { keyPairProblem } from '#client/http/key-pair.ts';
import { createAuthority } from './authority.ts';

const now = Date.parse('2026-11-01T00:00:00Z');

test('why a certificate and a key are no pair is told as Go tells it', async () => {
  const [one, other] = await Promise.all([createAuthority('one', now), createAuthority('other', now)]);
  const ed25519 = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  const { certificate, key } = one;
  assert.equal(keyPairProblem(certificate, key), undefined);
  assert.equal(keyPairProblem(`leaf\n${certificate}${other.certificate}`, `${certificate}${key}`), undefined);
  assert.equal(keyPairProblem(certificate.replaceAll('\n', '\r\n'), key), undefined);
  const cases: readonly (readonly [certificate: string, key: string, problem: RegExp])[] = [
    [certificate, other.key, /^tls: private key does not match public key$/],
    [certificate, ed25519, /^tls: private key type does not match public key type$/],
    [key, certificate, /did find a private key; PEM inputs may have been switched$/],
    [certificate, certificate, /^tls: found a certificate rather than a key/],
    ['', key, /^tls: failed to find any PEM data in certificate input$/],
    [certificate, 'nonsense', /^tls: failed to find any PEM data in key input$/],
    [key + key, key, /skipping PEM blocks of the following types: \[PRIVATE KEY PRIVATE KEY\]$/],
    ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', key, /^x509: malformed certificate$/],
    [
      certificate,
      '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
      /^tls: failed to parse private key$/,
    ],
  ];
  for (const [certificates, keys, problem] of cases) assert.match(keyPairProblem(certificates, keys) ?? '', problem);
});
