import { generateKeyPairSync } from 'node:crypto';

/** A new private key in PEM that service accounts' tokens are signed with. */
export function newSigningKey(): string {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();
}
