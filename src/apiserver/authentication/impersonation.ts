import { ApiError, badRequest } from '#machinery/errors.ts';
import {
  type AccessAttributes,
  AccessDenied,
  type Authorizer,
  refusal,
  resourceAttributes,
} from '../authorization/authorizer.ts';
import { quotedList } from '../authorization/rules.ts';
import type { UserInfo } from '../registry/operation.ts';

/** Whom a request's `Impersonate-*` headers ask to act as. */
export interface ImpersonationRequest {
  readonly user: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** What the request is about, for rules that allow impersonation only for some requests (KEP-5284). */
export type RequestedAccess = Omit<AccessAttributes, 'user'>;

const authenticationGroup = 'authentication.k8s.io';

/** @throws ApiError 400, or without constrained impersonation 500, when something is to be taken on but no user is named. */
function checkImpersonation(
  { user, uid, groups, extra }: ImpersonationRequest,
  { constrained }: { readonly constrained: boolean },
): void {
  if (user !== '') return;
  if (constrained) {
    const keys = Object.keys(extra).sort();
    const wanted = [
      `Name:"", UID:${JSON.stringify(uid)}, Groups:${goList(groups)}, Extra:map[string][]string`,
      keys.length === 0
        ? '(nil)'
        : `{${keys.map((key) => `${JSON.stringify(key)}:${goList(extra[key]!)}`).join(', ')}}`,
    ];
    throw new AccessDenied(
      badRequest(`requested &user.DefaultInfo{${wanted.join('')}} without impersonating a user name`),
    );
  }
  const parts = [...groups, uid, ...Object.keys(extra)].filter((part) => part !== '');
  const message = `requested ${quotedList(parts)} without impersonating a user`;
  throw new ApiError(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] });
}

/** A list as Go spells it. */
function goList(words: readonly string[]): string {
  return `[]string${words.length === 0 ? '(nil)' : `{${words.map((word) => JSON.stringify(word)).join(', ')}}`}`;
}

/**
 * The user to act as. Each part of who that is needs the `impersonate` verb, or that of a constrained mode which also
 * allows the request itself. @throws ApiError 403.
 */
export async function impersonate(
  authorizer: Authorizer,
  actor: UserInfo,
  request: ImpersonationRequest,
  options: { readonly access: RequestedAccess | undefined; readonly constrained: boolean },
): Promise<UserInfo> {
  const { access, constrained } = options;
  checkImpersonation(request, { constrained });
  if (constrained && access !== undefined) {
    for (const mode of modesFor(actor, request)) {
      if (await isAllowed(authorizer, actor, mode, access)) return impersonatedUser(actor, request, mode);
    }
  }
  for (const attributes of legacyQuestions(actor, request)) {
    const decision = await authorizer.authorize(attributes);
    if (decision.outcome !== 'allow') throw refusal(attributes, decision);
  }
  return impersonatedUser(actor, request, undefined);
}

/** A constrained mode: its name in verbs, and what has to be allowed besides the request. */
interface Mode {
  readonly name: 'associated-node' | 'arbitrary-node' | 'serviceaccount' | 'user-info';
  readonly questions: readonly AccessAttributes[];
}

const serviceAccountPattern = /^system:serviceaccount:([^:]+):([^:]+)$/;
const nodeNameExtra = 'authentication.kubernetes.io/node-name';

function modesFor(user: UserInfo, request: ImpersonationRequest): readonly Mode[] {
  const ask = (verb: string, resource: string, rest: Partial<AccessAttributes>): AccessAttributes =>
    resourceAttributes({
      user,
      verb: `impersonate:${verb}`,
      group: authenticationGroup,
      version: 'v1',
      resource,
      ...rest,
    });
  const isBare = request.uid === '' && request.groups.length === 0 && Object.keys(request.extra).length === 0;
  if (request.user.startsWith('system:node:')) {
    if (!isBare) return [];
    const name = request.user.slice('system:node:'.length);
    const arbitrary: Mode = { name: 'arbitrary-node', questions: [ask('arbitrary-node', 'nodes', { name })] };
    if (!serviceAccountPattern.test(user.name) || user.extra?.[nodeNameExtra]?.[0] !== name) return [arbitrary];
    return [{ name: 'associated-node', questions: [ask('associated-node', 'nodes', {})] }, arbitrary];
  }
  const account = serviceAccountPattern.exec(request.user);
  if (account !== null) {
    if (!isBare) return [];
    const [, namespace = '', name = ''] = account;
    return [{ name: 'serviceaccount', questions: [ask('serviceaccount', 'serviceaccounts', { namespace, name })] }];
  }
  const questions = [ask('user-info', 'users', { name: request.user })];
  for (const name of request.groups) questions.push(ask('user-info', 'groups', { name }));
  if (request.uid !== '') questions.push(ask('user-info', 'uids', { name: request.uid }));
  for (const [subresource, name] of extraPairs(request))
    questions.push(ask('user-info', 'userextras', { subresource, name }));
  return [{ name: 'user-info', questions }];
}

async function isAllowed(
  authorizer: Authorizer,
  user: UserInfo,
  { name, questions }: Mode,
  access: RequestedAccess,
): Promise<boolean> {
  const onRequest = { ...access, user, verb: `impersonate-on:${name}:${access.verb}` };
  for (const question of [onRequest, ...questions])
    if ((await authorizer.authorize(question)).outcome !== 'allow') return false;
  return true;
}

function* legacyQuestions(user: UserInfo, request: ImpersonationRequest): Generator<AccessAttributes> {
  const ask = (resource: string, rest: Partial<AccessAttributes>): AccessAttributes =>
    resourceAttributes({ user, verb: 'impersonate', version: 'v1', resource, ...rest });
  const account = serviceAccountPattern.exec(request.user);
  if (account === null) yield ask('users', { name: request.user });
  else yield ask('serviceaccounts', { namespace: account[1]!, name: account[2]! });
  for (const name of request.groups) yield ask('groups', { name });
  if (request.uid !== '') yield ask('uids', { group: authenticationGroup, name: request.uid });
  for (const [subresource, name] of extraPairs(request))
    yield ask('userextras', { group: authenticationGroup, subresource, name });
}

function extraPairs({ extra }: ImpersonationRequest): readonly (readonly [string, string])[] {
  return Object.entries(extra).flatMap(([key, values]) => values.map((value) => [key, value] as const));
}

function impersonatedUser(actor: UserInfo, request: ImpersonationRequest, mode: Mode | undefined): UserInfo {
  const { user: name, uid, extra } = request;
  const groups = [...request.groups];
  const account = serviceAccountPattern.exec(name);
  if (account !== null && groups.length === 0)
    groups.push('system:serviceaccounts', `system:serviceaccounts:${account[1]}`);
  if (mode?.name.endsWith('-node') === true) groups.push('system:nodes');
  if (name === 'system:anonymous') {
    if (!groups.includes('system:unauthenticated')) groups.push('system:unauthenticated');
  } else if (!groups.includes('system:authenticated') && !groups.includes('system:unauthenticated'))
    groups.push('system:authenticated');
  return {
    name,
    groups,
    ...(uid === '' ? {} : { uid }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
    actor,
  };
}
