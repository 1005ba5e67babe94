import type { AccessCheck, AccessDecision, CheckAccess } from '#cel/kubernetes/library/authorizer.ts';
import type { AccessAttributes, Authorizer, Decision } from '../../authorization/authorizer.ts';
import type { UserInfo } from '../../registry/operation.ts';

/** Thrown through an evaluation that needs an answer which somebody else has to give. */
class Waiting {
  readonly answer: Promise<unknown>;

  constructor(answer: Promise<unknown>) {
    this.answer = answer;
  }
}

/** Checks of access that expressions of one request make; each question is asked once. */
export function checkAccess(authorizer: Authorizer, user: UserInfo): CheckAccess {
  const known = new Map<string, AccessDecision>();
  return (check) => {
    const attributes = attributesOf(check, user);
    const key = JSON.stringify({ ...attributes, user: attributes.user.name });
    const decision = known.get(key);
    if (decision !== undefined) return decision;
    const answer = authorizer.authorize(attributes);
    if (answer instanceof Promise) throw new Waiting(answer.then((own) => known.set(key, outcome(own))));
    const own = outcome(answer);
    known.set(key, own);
    return own;
  };
}

const outcome = ({ outcome: own, reason, error }: Decision): AccessDecision => ({
  allowed: own === 'allow',
  reason,
  error,
});

function attributesOf({ serviceAccount, ...check }: AccessCheck, user: UserInfo): AccessAttributes {
  return { ...check, version: '*', user: serviceAccount === undefined ? user : userOf(serviceAccount) };
}

function userOf({ namespace, name }: { readonly namespace: string; readonly name: string }): UserInfo {
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
  };
}

/** Runs `evaluate` until all the access checks that it makes have been answered; waits only where one has to be. */
export function whenDecided<T>(evaluate: () => T): T | Promise<T> {
  try {
    return evaluate();
  } catch (error) {
    if (!(error instanceof Waiting)) throw error;
    return error.answer.then(() => whenDecided(evaluate));
  }
}
