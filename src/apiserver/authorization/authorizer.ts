import type { PolicyRule } from '#kinds/generated/types/rbac_v1.ts';
import { ApiError, aggregated, forbidden } from '#machinery/errors.ts';
import type { FieldSelector } from '#machinery/fields.ts';
import type { LabelRequirement } from '#machinery/labels.ts';
import type { UserInfo } from '../registry/operation.ts';

/** What authorisation decides on (authorization/v1 ResourceAttributes and NonResourceAttributes). */
export interface AccessAttributes {
  readonly user: UserInfo;
  readonly verb: string;
  /** '' group is core; '' `resource` means a path outside the API. */
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** For requests that are not about a resource, for example `/healthz`. */
  readonly path: string;
  /** What a list, watch or deletecollection is narrowed down to (KEP-4601). */
  readonly fieldSelector?: FieldSelector | undefined;
  readonly labelSelector?: readonly LabelRequirement[] | undefined;
}

export interface Decision {
  readonly outcome: 'allow' | 'deny' | 'noOpinion';
  readonly reason: string;
  /** Why some authoriser could not decide; the others were still asked. */
  readonly error?: string;
}

/** A value, or the promise of one where somebody else has to be asked. */
export type Awaitable<T> = T | Promise<T>;

/**
 * One way to decide; the first that has an opinion wins, and nobody's opinion means no. Those that know the answer
 * give it at once: a request waits only where a webhook has to be asked.
 */
export interface Authorizer {
  authorize(attributes: AccessAttributes): Awaitable<Decision>;
  /** What it allows a user in a namespace; an authoriser without this has nothing to list. */
  readonly rulesFor?: (user: UserInfo, namespace: string) => ListedRules;
  /** How often each of several authorisers has decided. */
  readonly decisions?: () => Iterable<DecisionCount>;
}

export interface DecisionCount {
  /** What the configuration calls the authoriser, for example `RBAC`. */
  readonly type: string;
  readonly name: string;
  readonly decision: 'allowed' | 'denied';
  readonly count: number;
}

/** What somebody may do, as far as it can be listed. */
export interface ListedRules {
  readonly rules: readonly PolicyRule[];
  /** Why that is not all; undefined when it is. */
  readonly gap?: string;
}

export const noOpinion: Decision = { outcome: 'noOpinion', reason: '' };

export function abstain(reason: string): Decision {
  return { outcome: 'noOpinion', reason };
}

export const allowed: Decision = { outcome: 'allow', reason: '' };

/** Asks each in turn. */
export function unionAuthorizer(authorizers: readonly Authorizer[]): Authorizer {
  return {
    authorize: (attributes) => askFrom(authorizers, 0, attributes, []),
    rulesFor(user, namespace) {
      const listed = authorizers.flatMap((one) => one.rulesFor?.(user, namespace) ?? []);
      const gaps = listed.flatMap(({ gap }) => gap ?? []);
      return { rules: listed.flatMap(({ rules }) => rules), ...(gaps.length === 0 ? {} : { gap: aggregated(gaps) }) };
    },
  };
}

function askFrom(
  authorizers: readonly Authorizer[],
  start: number,
  attributes: AccessAttributes,
  before: readonly Decision[],
): Awaitable<Decision> {
  const undecided = [...before];
  for (let index = start; index < authorizers.length; index++) {
    const answer = authorizers[index]!.authorize(attributes);
    if (answer instanceof Promise) {
      return answer.then((decision) =>
        decision.outcome === 'noOpinion'
          ? askFrom(authorizers, index + 1, attributes, [...undecided, decision])
          : decision,
      );
    }
    if (answer.outcome !== 'noOpinion') return answer;
    if (answer.reason !== '' || answer.error !== undefined) undecided.push(answer);
  }
  if (undecided.length === 0) return noOpinion;
  const errors = undecided.flatMap(({ error }) => (error === undefined ? [] : [error]));
  return {
    outcome: 'noOpinion',
    reason: undecided.flatMap(({ reason }) => (reason === '' ? [] : [reason])).join('\n'),
    ...(errors.length === 0 ? {} : { error: aggregated(errors) }),
  };
}

/** Members of `system:masters` may do everything; nobody can take it from them. */
export const mastersAuthorizer: Authorizer = {
  authorize: ({ user }) => (user.groups.includes('system:masters') ? allowed : noOpinion),
};

export const alwaysAllow: Authorizer = {
  authorize: () => allowed,
  rulesFor: () => ({
    rules: [
      { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
      { verbs: ['*'], nonResourceURLs: ['*'] },
    ],
  }),
};

export const alwaysDeny: Authorizer = {
  authorize: () => ({ outcome: 'noOpinion', reason: 'Everything is forbidden.' }),
};

/** Attributes of a question about a resource; what is not given is ''. */
export function resourceAttributes(
  given: Pick<AccessAttributes, 'user' | 'verb' | 'resource'> & Partial<AccessAttributes>,
): AccessAttributes {
  return { group: '', version: '', subresource: '', namespace: '', name: '', path: '', ...given };
}

/** The sentence of a 403, without the resource in front. */
export function refusalReason(
  { user, verb, group, resource, subresource, namespace, path }: AccessAttributes,
  reason: string,
): string {
  const who = `User ${JSON.stringify(user.name)}`;
  const because = reason === '' ? '' : `: ${reason}`;
  if (resource === '') return `${who} cannot ${verb} path ${JSON.stringify(path)}${because}`;
  const what = subresource === '' ? resource : `${resource}/${subresource}`;
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
  return `${who} cannot ${verb} resource ${JSON.stringify(what)} in API group ${JSON.stringify(group)} ${where}${because}`;
}

/** The refusal of a request that its sender may not ask, which upstream answers with a header that others have not. */
export class AccessDenied extends ApiError {
  constructor({ status: { code = 403, reason = 'Forbidden', message = '', details } }: ApiError) {
    super(code, reason, message, details);
  }
}

/** The 403 of a request that nobody allowed. */
export function refusal(attributes: AccessAttributes, { reason }: Decision): ApiError {
  return new AccessDenied(forbidden(attributes, attributes.name, refusalReason(attributes, reason)));
}

/** Goes on when the question is allowed, at once where the answer is. @throws ApiError 403. */
export function requireAllowed(
  authorizer: Authorizer,
  attributes: AccessAttributes,
  annotate?: ((key: string, value: string) => void) | undefined,
): void | Promise<void> {
  const check = (decision: Decision): void => {
    const isAllowed = decision.outcome === 'allow';
    annotate?.('authorization.k8s.io/decision', isAllowed ? 'allow' : 'forbid');
    annotate?.('authorization.k8s.io/reason', decision.reason);
    if (!isAllowed) throw refusal(attributes, decision);
  };
  const answer = authorizer.authorize(attributes);
  return answer instanceof Promise ? answer.then(check) : check(answer);
}
