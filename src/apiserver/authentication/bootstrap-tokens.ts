import { timingSafeEqual } from 'node:crypto';
import { Secret } from '#kinds/generated/handles.ts';
import type { Secret as SecretObject } from '#kinds/generated/types/core_v1.ts';
import { decodeBase64 } from '#machinery/base64.ts';
import type { ResourceTable } from '../resources/resource.ts';
import { forThisApi, type TokenAnswer, type TokenAuthenticator } from './token-authenticator.ts';

const tokenPattern = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const groupPattern = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;
const secretType = 'bootstrap.kubernetes.io/token';

/** Tokens that machines join with: `ID.SECRET`, kept in Secrets of kube-system (`--enable-bootstrap-token-auth`). */
export function bootstrapTokens(options: {
  readonly resources: ResourceTable;
  readonly now: () => number;
  readonly apiAudiences: readonly string[];
}): TokenAuthenticator {
  const secrets = options.resources.of(Secret).storage!.cache;
  return {
    authenticate(token, audiences): TokenAnswer {
      const match = tokenPattern.exec(token);
      if (match === null) return { outcome: 'unknown' };
      const [, id = '', secretPart = ''] = match;
      const secret = secrets.get(`kube-system/bootstrap-token-${id}`)?.value.object as SecretObject | undefined;
      if (secret === undefined || !isGood(secret, { id, secret: secretPart, now: options.now() }))
        return { outcome: 'unknown' };
      const groups = groupsOf(secret);
      if (groups === undefined) return { outcome: 'unknown' };
      const user = { name: `system:bootstrap:${id}`, groups: [...groups, 'system:authenticated'] };
      return forThisApi({ outcome: 'authenticated', user, audiences: [] }, audiences, options.apiAudiences);
    },
  };
}

function isGood(
  secret: SecretObject,
  wanted: { readonly id: string; readonly secret: string; readonly now: number },
): boolean {
  if (secret.type !== secretType || secret.metadata.deletionTimestamp !== undefined) return false;
  if (field(secret, 'token-id') !== wanted.id || !sameText(field(secret, 'token-secret'), wanted.secret)) return false;
  const expiration = field(secret, 'expiration');
  if (expiration !== '' && !(Date.parse(expiration) > wanted.now)) return false;
  return field(secret, 'usage-bootstrap-authentication') === 'true';
}

function groupsOf(secret: SecretObject): readonly string[] | undefined {
  const more = field(secret, 'auth-extra-groups');
  const groups = more === '' ? [] : more.split(',');
  if (!groups.every((group) => groupPattern.test(group))) return undefined;
  return [...new Set(['system:bootstrappers', ...groups])].sort();
}

function field({ data }: SecretObject, name: string): string {
  return new TextDecoder().decode(decodeBase64(data?.[name] ?? ''));
}

/** In a time that does not tell how much of it was right. */
function sameText(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
