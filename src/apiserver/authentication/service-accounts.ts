import { Node, Pod, Secret, ServiceAccount } from '#kinds/generated/handles.ts';
import type { Secret as SecretObject, ServiceAccount as ServiceAccountObject } from '#kinds/generated/types/core_v1.ts';
import type { Kind } from '#kinds/kind.ts';
import { decodeBase64 } from '#machinery/base64.ts';
import type { ApiObject } from '#machinery/meta.ts';
import type { UserInfo } from '../registry/operation.ts';
import type { ResourceTable } from '../resources/resource.ts';
import { objectKey } from '../resources/storage-keys.ts';
import type { LegacyTokenClaims, ServiceAccountTokens, TokenClaims } from './service-account-tokens.ts';
import type { TokenAnswer, TokenAuthenticator } from './token-authenticator.ts';

/** How long an object that is being deleted still vouches for its tokens: its pod may have work to finish. */
const deletionLeewayMs = 60_000;
const unknown: TokenAnswer = { outcome: 'unknown' };
const invalidSince = 'kubernetes.io/legacy-token-invalid-since';

export interface ServiceAccountsOptions {
  readonly tokens: ServiceAccountTokens;
  readonly resources: ResourceTable;
  readonly now: () => number;
  /** Whether legacy tokens need their Secret and account to be still there. */
  readonly looksUpLegacyTokens: boolean;
  /** Called with the Secret of each legacy token that is used. */
  readonly onLegacyUse: (secret: SecretObject) => void;
}

/** Believes tokens of service accounts as long as the objects that they are bound to exist. */
export class ServiceAccountAuthenticator implements TokenAuthenticator {
  readonly #options: ServiceAccountsOptions;
  readonly #users = new WeakMap<object, UserInfo>();

  constructor(options: ServiceAccountsOptions) {
    this.#options = options;
  }

  authenticate(token: string, audiences: readonly string[]): TokenAnswer {
    const checked = this.#options.tokens.check(token);
    switch (checked.type) {
      case 'foreign':
        return unknown;
      case 'refused':
        return { outcome: 'refused', error: checked.error };
      case 'legacy':
        return this.#legacy(token, checked.claims, audiences);
      case 'bound':
        return this.#bound(checked.claims, audiences);
    }
  }

  #bound(claims: TokenClaims, wanted: readonly string[]): TokenAnswer {
    const audiences = claims.aud.filter((audience) => wanted.includes(audience));
    if (audiences.length === 0)
      return refused(`token audiences ${quoted(claims.aud)} is invalid for the target audiences ${quoted(wanted)}`);
    const error = this.#unboundBy(claims);
    if (error !== undefined) return refused(error);
    let user = this.#users.get(claims);
    if (user === undefined) {
      user = userOf(claims);
      this.#users.set(claims, user);
    }
    const { uses } = this.#options.tokens;
    const stale = staleness(claims, this.#options.now());
    if (stale === undefined) {
      uses.valid++;
      return { outcome: 'authenticated', user, audiences };
    }
    uses.stale++;
    return { outcome: 'authenticated', user, audiences, ...stale };
  }

  /** Why a bound token is good no more: it dies with what it is bound to. */
  #unboundBy({ 'kubernetes.io': { namespace, serviceaccount, pod, secret, node } }: TokenClaims): string | undefined {
    const account = this.#find(ServiceAccount, namespace, serviceaccount.name);
    if (account === undefined || this.#isGone(account)) return 'service account token has been invalidated';
    if (account.metadata.uid !== serviceaccount.uid)
      return `service account UID (${account.metadata.uid}) does not match claim (${serviceaccount.uid})`;
    if (secret !== undefined && !this.#vouches(Secret, namespace, secret))
      return 'service account token has been invalidated';
    if (pod !== undefined) {
      // The node of a pod's token only tells where it came from.
      return this.#vouches(Pod, namespace, pod) ? undefined : 'service account token has been invalidated';
    }
    if (node === undefined || this.#vouches(Node, '', node)) return undefined;
    return 'service account token has been invalidated';
  }

  #vouches(kind: Kind, namespace: string, claim: { readonly name: string; readonly uid?: string }): boolean {
    const object = this.#find(kind, namespace, claim.name);
    return object !== undefined && !this.#isGone(object) && object.metadata.uid === claim.uid;
  }

  #isGone({ metadata: { deletionTimestamp } }: ApiObject): boolean {
    return deletionTimestamp !== undefined && Date.parse(deletionTimestamp) + deletionLeewayMs < this.#options.now();
  }

  #find(kind: Kind, namespace: string, name: string): ApiObject | undefined {
    return this.#options.resources.of(kind).storage!.cache.get(objectKey({ namespace, name }))?.value.object;
  }

  #legacy(token: string, claims: LegacyTokenClaims, wanted: readonly string[]): TokenAnswer {
    const { issuers } = this.#options.tokens;
    const audiences = issuers.filter((issuer) => wanted.includes(issuer));
    if (audiences.length === 0) return refused('token audiences are invalid for the target audiences');
    const namespace = claims['kubernetes.io/serviceaccount/namespace'];
    const name = claims['kubernetes.io/serviceaccount/service-account.name'];
    const uid = claims['kubernetes.io/serviceaccount/service-account.uid'];
    const error = this.#options.looksUpLegacyTokens ? this.#lookUp(token, claims) : undefined;
    if (error !== undefined) return refused(error);
    this.#options.tokens.uses.legacy++;
    let user = this.#users.get(claims);
    if (user === undefined) {
      user = { name: `system:serviceaccount:${namespace}:${name}`, uid, groups: groupsOf(namespace) };
      this.#users.set(claims, user);
    }
    return { outcome: 'authenticated', user, audiences };
  }

  /** Why a legacy token is good no more: it dies with its Secret and its account. Notes its use. */
  #lookUp(token: string, claims: LegacyTokenClaims): string | undefined {
    const namespace = claims['kubernetes.io/serviceaccount/namespace'];
    const name = claims['kubernetes.io/serviceaccount/service-account.name'];
    const uid = claims['kubernetes.io/serviceaccount/service-account.uid'];
    const secretName = claims['kubernetes.io/serviceaccount/secret.name'];
    const secret = this.#find(Secret, namespace, secretName) as SecretObject | undefined;
    if (secret === undefined || secret.metadata.deletionTimestamp !== undefined || !holds(secret, token))
      return 'service account token has been invalidated';
    const account = this.#find(ServiceAccount, namespace, name);
    if (account === undefined || account.metadata.deletionTimestamp !== undefined)
      return `ServiceAccount ${namespace}/${name} has been deleted`;
    if (account.metadata.uid !== uid)
      return `ServiceAccount UID (${account.metadata.uid}) does not match claim (${uid})`;
    const { uses } = this.#options.tokens;
    const isAutomatic = (account as ServiceAccountObject).secrets?.some((one) => one.name === secretName) === true;
    if (secret.metadata.labels?.[invalidSince] !== undefined) {
      if (isAutomatic) uses.invalidLegacy++;
      return `the token in secret ${namespace}/${secretName} for service account ${namespace}/${name} has been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the '${invalidSince}' label from the secret to temporarily allow use of this token`;
    }
    uses[isAutomatic ? 'legacyAutomatic' : 'legacyManual']++;
    this.#options.onLegacyUse(secret);
    return undefined;
  }
}

function refused(error: string): TokenAnswer {
  return { outcome: 'refused', error };
}

function quoted(values: readonly string[]): string {
  return `[${values.map((value) => JSON.stringify(value)).join(' ')}]`;
}

function holds({ data }: SecretObject, token: string): boolean {
  return new TextDecoder().decode(decodeBase64(data?.['token'] ?? '')) === token;
}

/** Noted in the audit log: whose client does not yet read its token again from time to time. */
function staleness(
  { sub, 'kubernetes.io': { warnafter } }: TokenClaims,
  nowMs: number,
): { readonly annotations: Readonly<Record<string, string>> } | undefined {
  if (warnafter === undefined || warnafter * 1000 >= nowMs) return undefined;
  const seconds = Math.floor(nowMs / 1000 - warnafter);
  const text = `subject: ${sub}, seconds after warning threshold: ${seconds}`;
  return { annotations: { 'authentication.k8s.io/stale-token': text } };
}

function groupsOf(namespace: string): readonly string[] {
  return ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'];
}

function userOf({ jti, 'kubernetes.io': { namespace, serviceaccount, pod, node } }: TokenClaims): UserInfo {
  const extra: Record<string, readonly string[]> = {};
  if (jti !== undefined) extra['authentication.kubernetes.io/credential-id'] = [`JTI=${jti}`];
  if (pod !== undefined) {
    extra['authentication.kubernetes.io/pod-name'] = [pod.name];
    extra['authentication.kubernetes.io/pod-uid'] = [pod.uid];
  }
  if (node !== undefined) extra['authentication.kubernetes.io/node-name'] = [node.name];
  if (node?.uid !== undefined) extra['authentication.kubernetes.io/node-uid'] = [node.uid];
  return {
    name: `system:serviceaccount:${namespace}:${serviceaccount.name}`,
    uid: serviceaccount.uid,
    groups: groupsOf(namespace),
    extra,
  };
}
