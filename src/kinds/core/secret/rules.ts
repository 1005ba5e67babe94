import type * as core from '#kinds/generated/types/core_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { decodeBase64, encodeBase64 } from '#machinery/base64.ts';
import { validateSecret, validateSecretUpdate } from '../validation.ts';

export const secretRules: KindRules<core.Secret> = {
  validate: validateSecret,
  validateUpdate: validateSecretUpdate,
  warnings: ({ type, data = {} }) => (type === 'kubernetes.io/tls' ? pairWarnings(data) : []),
  defaults(secret) {
    secret.type ??= 'Opaque';
    for (const [key, text] of Object.entries(secret.stringData ?? {})) {
      secret.data ??= {};
      secret.data[key] = encodeBase64(new TextEncoder().encode(text));
    }
    delete secret.stringData;
  },
  selectableFields: { type: (secret) => secret.type ?? '' },
};

/** A certificate and its key are there, whatever is in them. */
function pairWarnings(data: Readonly<Record<string, string>>): string[] {
  const has = (key: string, block: RegExp): boolean =>
    block.test(new TextDecoder().decode(decodeBase64(data[key] ?? '')));
  if (!has('tls.crt', /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/))
    return ['tls: failed to find any PEM data in certificate input'];
  if (!has('tls.key', /-----BEGIN ([A-Z]+ )?PRIVATE KEY-----[^-]*-----END/))
    return ['tls: failed to find any PEM data in key input'];
  return [];
}
