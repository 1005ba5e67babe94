import type { UserInfo } from '../registry/operation.ts';

/** What authorisation decides on (authorization/v1 ResourceAttributes and NonResourceAttributes). */
export interface AccessAttributes {
  readonly user: UserInfo;
  readonly verb: string;
  /** '' group is core; absent `resource` means a path outside the API. */
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** For requests that are not about a resource, for example `/healthz`. */
  readonly path: string;
}

export type Decision =
  | { readonly outcome: 'allow'; readonly reason: string }
  | { readonly outcome: 'deny'; readonly reason: string }
  | { readonly outcome: 'noOpinion'; readonly reason: string };

/** One way to decide; the first that has an opinion wins, and nobody's opinion means no. */
export interface Authorizer {
  authorize(attributes: AccessAttributes): Decision;
}

/** Asks each in turn. */
export function unionAuthorizer(authorizers: readonly Authorizer[]): Authorizer {
  return {
    authorize(attributes) {
      const reasons: string[] = [];
      for (const authorizer of authorizers) {
        const decision = authorizer.authorize(attributes);
        if (decision.outcome !== 'noOpinion') return decision;
        if (decision.reason !== '') reasons.push(decision.reason);
      }
      return { outcome: 'noOpinion', reason: reasons.join(', ') };
    },
  };
}

/** Members of `system:masters` may do everything; nobody can take it from them. */
export const mastersAuthorizer: Authorizer = {
  authorize: ({ user }) =>
    user.groups.includes('system:masters') ? { outcome: 'allow', reason: '' } : { outcome: 'noOpinion', reason: '' },
};

/** The sentence of a 403, without the resource in front. */
export function refusalReason(
  { user, verb, group, resource, subresource, namespace, path }: AccessAttributes,
  reason: string,
): string {
  const who = `User ${JSON.stringify(user.name)}`;
  if (resource === '') return `${who} cannot ${verb} path ${JSON.stringify(path)}${reason === '' ? '' : `: ${reason}`}`;
  const what = subresource === '' ? resource : `${resource}/${subresource}`;
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
  return `${who} cannot ${verb} resource ${JSON.stringify(what)} in API group ${JSON.stringify(group)} ${where}${reason === '' ? '' : `: ${reason}`}`;
}
