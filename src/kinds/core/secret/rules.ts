import type * as core from '#kinds/generated/types/core_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { encodeBase64 } from '#machinery/base64.ts';
import { validateSecret, validateSecretUpdate } from './validation.ts';

export const secretRules: KindRules<core.Secret> = {
  validate: validateSecret,
  validateUpdate: validateSecretUpdate,
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
