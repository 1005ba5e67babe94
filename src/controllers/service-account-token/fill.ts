import { type Controller, defineController, done } from '#client/controller.ts';
import { keyOf } from '#client/object-key.ts';
import { Secret as SecretKind, ServiceAccount } from '#kinds/generated/handles.ts';
import type { Secret } from '#kinds/generated/types/core_v1.ts';
import { encodeBase64 } from '#machinery/base64.ts';
import { equalValues } from '#machinery/equality.ts';
import { isReason } from '#machinery/errors.ts';

const tokenType = 'kubernetes.io/service-account-token';
const accountNameAnnotation = 'kubernetes.io/service-account.name';
const accountUidAnnotation = 'kubernetes.io/service-account.uid';

/** Makes the token of a Secret. */
export type IssueLegacyToken = (names: {
  readonly namespace: string;
  readonly secret: string;
  readonly account: { readonly name: string; readonly uid: string };
}) => string;

/** Fills Secrets that ask for a service account's token: with the token, the namespace and the cluster's authority. */
export function serviceAccountTokens(issue: IssueLegacyToken, rootCa: string): Controller {
  return defineController({
    name: 'tokens-controller',
    queue: 'serviceaccount_tokens_service',
    setup(context) {
      const isToken = (secret: Secret): boolean => secret.type === tokenType;
      const secrets = context.watch(SecretKind, (secret) => (isToken(secret) ? [keyOf(secret)] : []));
      const accountOf = ({ metadata }: Secret) =>
        `${metadata.namespace}/${metadata.annotations?.[accountNameAnnotation]}`;
      const byAccount = secrets.index('accountOfToken', (secret) => (isToken(secret) ? [accountOf(secret)] : []));
      const accounts = context.watch(ServiceAccount, (account, { type }) =>
        type === 'added' ? byAccount.get(keyOf(account)).map(keyOf) : [],
      );
      return async (key, { client, signal }) => {
        const secret = secrets.getByKey(key);
        if (secret === undefined || secret.metadata.deletionTimestamp !== undefined) return done;
        const account = accounts.getByKey(accountOf(secret));
        const uid = account?.metadata.uid;
        const wanted = secret.metadata.annotations?.[accountUidAnnotation];
        if (account === undefined || uid === undefined || (wanted !== undefined && wanted !== uid)) return done;
        const filled = filledSecret(secret, { issue, rootCa, account: { name: account.metadata.name ?? '', uid } });
        if (equalValues(filled, secret)) return done;
        await client.update(SecretKind, filled, { signal }).catch((error: unknown) => {
          if (!isReason(error, 'NotFound')) throw error;
        });
        return done;
      };
    },
  });
}

function filledSecret(
  secret: Secret,
  {
    issue,
    rootCa,
    account,
  }: {
    readonly issue: IssueLegacyToken;
    readonly rootCa: string;
    readonly account: { readonly name: string; readonly uid: string };
  },
): Secret {
  const { metadata, data = {} } = secret;
  const { namespace = '', name = '' } = metadata;
  const token = data['token'] ?? encoded(issue({ namespace, secret: name, account }));
  return {
    ...secret,
    metadata: {
      ...metadata,
      annotations: {
        ...metadata.annotations,
        [accountNameAnnotation]: account.name,
        [accountUidAnnotation]: account.uid,
      },
    },
    data: { ...data, token, namespace: data['namespace'] ?? encoded(namespace), 'ca.crt': encoded(rootCa) },
  };
}

function encoded(text: string): string {
  return encodeBase64(new TextEncoder().encode(text));
}
