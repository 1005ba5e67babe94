import type * as core from '#kinds/generated/types/core_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import type { Mutable } from '#machinery/meta.ts';

export const serviceAccountRules: KindRules<core.ServiceAccount> = {
  prepareForCreate: keepNamesOfSecrets,
  prepareForUpdate: keepNamesOfSecrets,
};

/** Of a reference to a secret only the name counts. */
function keepNamesOfSecrets(account: Mutable<core.ServiceAccount>): void {
  if (account.secrets !== undefined)
    account.secrets = account.secrets.map(({ name }) => (name === undefined ? {} : { name }));
}
