import { defineController, done } from '#client/controller.ts';
import { keyOf, refOf } from '#client/object-key.ts';
import { Secret as SecretKind, ServiceAccount } from '#kinds/generated/handles.ts';
import type { Secret } from '#kinds/generated/types/core_v1.ts';
import { isReason } from '#machinery/errors.ts';

const tokenType = 'kubernetes.io/service-account-token';
const accountNameAnnotation = 'kubernetes.io/service-account.name';
const accountUidAnnotation = 'kubernetes.io/service-account.uid';

/** Deletes token Secrets whose service account is gone or was replaced: a token must not outlive its account. */
export const serviceAccountTokenCleanup = defineController({
  name: 'legacy-service-account-token-cleaner',
  setup(context) {
    const secrets = context.watch(SecretKind, (secret) => (secret.type === tokenType ? [keyOf(secret)] : []));
    const accountOf = ({ metadata }: Secret) =>
      `${metadata.namespace}/${metadata.annotations?.[accountNameAnnotation]}`;
    const byAccount = secrets.index('serviceAccount', (secret) =>
      secret.type === tokenType ? [accountOf(secret)] : [],
    );
    const accounts = context.watch(ServiceAccount, (account, { type }) =>
      type === 'updated' ? [] : byAccount.get(keyOf(account)).map(keyOf),
    );
    return async (key, { client, signal }) => {
      const secret = secrets.getByKey(key);
      const uid = secret?.metadata.annotations?.[accountUidAnnotation];
      // Without a uid the Secret is only a request for a token, which may come before its account.
      if (secret === undefined || uid === undefined) return done;
      if (accounts.getByKey(accountOf(secret))?.metadata.uid === uid) return done;
      const preconditions = secret.metadata.uid === undefined ? {} : { preconditions: { uid: secret.metadata.uid } };
      await client.delete(SecretKind, refOf(key), { ...preconditions, signal }).catch((error: unknown) => {
        if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error;
      });
      return done;
    };
  },
});
