import type * as core from '#kinds/generated/types/core_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import type { Mutable } from '#machinery/meta.ts';

const enforced = 'kubernetes.io/enforce-mountable-secrets';

export const serviceAccountRules: KindRules<core.ServiceAccount> = {
  prepareForCreate: keepNamesOfSecrets,
  prepareForUpdate: keepNamesOfSecrets,
  warnings({ metadata }, old) {
    const isNew = metadata.annotations?.[enforced] !== undefined && old?.metadata.annotations?.[enforced] === undefined;
    const detail = 'deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets';
    return isNew ? [`metadata.annotations[${enforced}]: ${detail}`] : [];
  },
};

/** Of a reference to a secret only the name counts. */
function keepNamesOfSecrets(account: Mutable<core.ServiceAccount>): void {
  if (account.secrets !== undefined)
    account.secrets = account.secrets.map(({ name }) => (name === undefined ? {} : { name }));
}
