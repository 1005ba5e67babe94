import { Pod, Secret, ServiceAccount } from '#kinds/generated/handles.ts';
import type { Kind } from '#kinds/kind.ts';
import type { UserInfo } from '../registry/operation.ts';
import type { ResourceTable } from '../resources/resource.ts';
import { objectKey } from '../resources/storage-keys.ts';
import type { ServiceAccountTokens, TokenClaims } from './service-account-tokens.ts';

/** What a connection and its headers prove. */
export interface Credentials {
  /** Subject of a client certificate that our CA signed. */
  readonly certificate?: { readonly commonName: string; readonly organizations: readonly string[] };
  readonly bearerToken?: string;
}

export type Authentication =
  | { readonly outcome: 'authenticated'; readonly user: UserInfo }
  | { readonly outcome: 'anonymous' }
  | { readonly outcome: 'refused' };

const authenticatedGroup = 'system:authenticated';
export const anonymousUser: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

/** Works out who asks: certificates first, then tokens; a token that is wrong is refused, none at all is anonymous. */
export class Authenticator {
  readonly #tokens: ServiceAccountTokens;
  readonly #resources: ResourceTable;
  readonly #users = new WeakMap<TokenClaims, UserInfo>();

  constructor(options: { readonly tokens: ServiceAccountTokens; readonly resources: ResourceTable }) {
    this.#tokens = options.tokens;
    this.#resources = options.resources;
  }

  authenticate({ certificate, bearerToken }: Credentials): Authentication {
    if (certificate !== undefined) {
      const groups = [...certificate.organizations, authenticatedGroup];
      return { outcome: 'authenticated', user: { name: certificate.commonName, groups } };
    }
    if (bearerToken === undefined) return { outcome: 'anonymous' };
    const user = this.serviceAccountOf(bearerToken, [this.#tokens.issuer]);
    return user === undefined ? { outcome: 'refused' } : { outcome: 'authenticated', user };
  }

  /** The account behind a token that is meant for one of `audiences`; undefined when it is not good (any more). */
  serviceAccountOf(token: string, audiences: readonly string[]): UserInfo | undefined {
    const claims = this.#tokens.check(token);
    if (claims === undefined || !claims.aud.some((audience) => audiences.includes(audience))) return undefined;
    if (!this.#stillThere(claims)) return undefined;
    let user = this.#users.get(claims);
    if (user === undefined) {
      user = userOf(claims);
      this.#users.set(claims, user);
    }
    return user;
  }

  /** A bound token dies with what it is bound to. */
  #stillThere({ 'kubernetes.io': { namespace, serviceaccount, pod, secret } }: TokenClaims): boolean {
    if (!this.#exists(ServiceAccount, namespace, serviceaccount)) return false;
    if (pod !== undefined && !this.#exists(Pod, namespace, pod)) return false;
    return secret === undefined || this.#exists(Secret, namespace, secret);
  }

  #exists(kind: Kind, namespace: string, { name, uid }: { readonly name: string; readonly uid: string }): boolean {
    const object = this.#resources.of(kind).storage!.cache.get(objectKey({ namespace, name }))?.value.object;
    return object !== undefined && object.metadata.uid === uid;
  }
}

function userOf({ jti, 'kubernetes.io': { namespace, serviceaccount, pod, node } }: TokenClaims): UserInfo {
  return {
    name: `system:serviceaccount:${namespace}:${serviceaccount.name}`,
    uid: serviceaccount.uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, authenticatedGroup],
    extra: {
      'authentication.kubernetes.io/credential-id': [`JTI=${jti}`],
      ...(pod === undefined
        ? {}
        : { 'authentication.kubernetes.io/pod-name': [pod.name], 'authentication.kubernetes.io/pod-uid': [pod.uid] }),
      ...(node === undefined ? {} : { 'authentication.kubernetes.io/node-name': [node.name] }),
      ...(node?.uid === undefined ? {} : { 'authentication.kubernetes.io/node-uid': [node.uid] }),
    },
  };
}
