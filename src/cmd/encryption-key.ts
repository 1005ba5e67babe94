import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The EncryptionConfiguration in a folder, if there is one. */
export function encryptionConfiguration(folder: string): string | undefined {
  const file = join(folder, 'encryption.yaml');
  return existsSync(file) ? file : undefined;
}

/**
 * The EncryptionConfiguration that a cluster has from its first start, for its owner's eyes only: Secrets are sealed,
 * and what an earlier version stored as it was is still read. The one who backs the cluster up has to keep this file too.
 */
export function ensureEncryptionConfiguration(folder: string): string {
  const known = encryptionConfiguration(folder);
  if (known !== undefined) return known;
  const file = join(folder, 'encryption.yaml');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const text = encryptionText(randomBytes(32).toString('base64'));
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return file;
}

/** @param secret 32 bytes in base64 */
export function encryptionText(secret: string): string {
  return `# How Secrets are sealed in the store. Lose this file and they cannot be read.
# To rotate: put a new key first, rewrite all Secrets, then remove the old key. Changes take effect at once.
apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
  - resources: [secrets]
    providers:
      - secretbox:
          keys:
            - name: key1
              secret: ${secret}
      - identity: {}
`;
}
