import type * as core from '#kinds/generated/types/core_v1.ts';
import type { KindRules } from '#kinds/kind.ts';

export const secretRules: KindRules<core.Secret> = {
  defaults(secret) {
    secret.type ??= 'Opaque';
    for (const [key, text] of Object.entries(secret.stringData ?? {})) {
      secret.data ??= {};
      secret.data[key] = encodeBase64(text);
    }
    delete secret.stringData;
  },
  selectableFields: { type: (secret) => secret.type ?? '' },
};

function encodeBase64(text: string): string {
  let bytes = '';
  for (const byte of new TextEncoder().encode(text)) bytes += String.fromCharCode(byte);
  return btoa(bytes);
}
