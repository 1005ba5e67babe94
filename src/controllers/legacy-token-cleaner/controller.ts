import { defineController, done, retryAfter } from '#client/controller.ts';
import { keyOf, refOf } from '#client/object-key.ts';
import { Pod, Secret as SecretKind, ServiceAccount } from '#kinds/generated/handles.ts';
import type { Pod as PodObject, Secret } from '#kinds/generated/types/core_v1.ts';
import { isReason } from '#machinery/errors.ts';
import { formatTime } from '#machinery/time.ts';

const tokenType = 'kubernetes.io/service-account-token';
const accountNameAnnotation = 'kubernetes.io/service-account.name';
const lastUsedLabel = 'kubernetes.io/legacy-token-last-used';
const invalidSinceLabel = 'kubernetes.io/legacy-token-invalid-since';
const dayMs = 24 * 3600_000;
/** Tokens that nobody used for this long are marked invalid, and after as long again deleted. */
const unusedMs = 365 * dayMs;

/** Takes away tokens that were made for service accounts by themselves and that nobody uses (KEP-2799). */
export const legacyTokenCleaner = defineController({
  name: 'legacy-service-account-token-cleaner',
  setup(context) {
    const isToken = (secret: Secret): boolean => secret.type === tokenType;
    const secrets = context.watch(SecretKind, (secret) => (isToken(secret) ? [keyOf(secret)] : []));
    const accounts = context.watch(ServiceAccount);
    const pods = context.watch(Pod);
    const byMount = pods.index('mountedSecrets', mountedSecrets);
    return async (key, { client, signal }) => {
      const secret = secrets.getByKey(key);
      if (secret === undefined || !isToken(secret)) return done;
      const { namespace, labels = {}, annotations = {}, creationTimestamp = '' } = secret.metadata;
      const account = accounts.getByKey(`${namespace}/${annotations[accountNameAnnotation]}`);
      // Only tokens that upstream once made by itself stand in their account's list.
      const isGenerated = account?.secrets?.some(({ name }) => name === secret.metadata.name) === true;
      const now = context.environment.clock.now();
      const usedMs = Date.parse(labels[lastUsedLabel] ?? creationTimestamp);
      if (!isGenerated || byMount.get(key).length > 0) return retryAfter(dayMs);
      if (now - usedMs < unusedMs) return retryAfter(dayMs);
      const invalidSince = labels[invalidSinceLabel];
      if (invalidSince === undefined) {
        const today = formatTime(now).slice(0, 10);
        await client.patch(
          SecretKind,
          refOf(key),
          { type: 'merge', body: { metadata: { labels: { [invalidSinceLabel]: today } } } },
          { signal },
        );
        return retryAfter(dayMs);
      }
      if (now - Date.parse(invalidSince) < unusedMs) return retryAfter(dayMs);
      await client.delete(SecretKind, refOf(key), { signal }).catch((error: unknown) => {
        if (!isReason(error, 'NotFound')) throw error;
      });
      return done;
    };
  },
});

function mountedSecrets({ metadata, spec }: PodObject): readonly string[] {
  return (spec.volumes ?? []).flatMap(({ secret }) =>
    secret?.secretName === undefined ? [] : [`${metadata.namespace}/${secret.secretName}`],
  );
}
