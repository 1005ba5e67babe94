import type * as core from '#kinds/generated/types/core_v1.ts';
import type { KindRules } from '#kinds/kind.ts';

export const serviceAccountRules: KindRules<core.ServiceAccount> = {
  /** Of a reference to a secret only the name counts. */
  prepareForCreate(account) {
    if (account.secrets !== undefined) account.secrets = account.secrets.map(({ name }) => ({ name: name ?? '' }));
  },
};
