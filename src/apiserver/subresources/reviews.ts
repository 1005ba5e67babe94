import { Pod } from '#kinds/generated/handles.ts';
import type { SelfSubjectReview, TokenReview } from '#kinds/generated/types/authentication_v1.ts';
import type { SubjectAccessReview } from '#kinds/generated/types/authorization_v1.ts';
import type { Binding } from '#kinds/generated/types/core_v1.ts';
import { badRequest, methodNotSupported } from '#machinery/errors.ts';
import { apiVersionOf, type JsonObject } from '#machinery/meta.ts';
import type { AccessAttributes } from '../authorization/authorizer.ts';
import type { Operation, Result, UserInfo } from '../registry/operation.ts';
import type { Registry } from '../registry/registry.ts';
import { binding } from './binding.ts';
import { checkAdmission } from './handler.ts';

type Answer = (registry: Registry, operation: Operation) => object | Promise<Result>;

/** Kinds that are only asked: who am I, who is this, may they. By `group/resource`. */
const answers: Readonly<Record<string, Answer>> = {
  'authentication.k8s.io/tokenreviews': reviewToken,
  'authentication.k8s.io/selfsubjectreviews': reviewSelf,
  'authorization.k8s.io/subjectaccessreviews': reviewAccess,
  'authorization.k8s.io/localsubjectaccessreviews': reviewAccess,
  'authorization.k8s.io/selfsubjectaccessreviews': reviewOwnAccess,
  'authorization.k8s.io/selfsubjectrulesreviews': reviewOwnRules,
  '/bindings': bindPod,
};

export async function answerReview(registry: Registry, operation: Operation): Promise<Result> {
  const { kind } = operation.resource;
  const answer = answers[`${kind.group}/${kind.resource}`];
  if (kind.resource === 'componentstatuses') return componentStatuses(operation);
  if (answer === undefined || operation.verb !== 'create') throw methodNotSupported(kind, operation.verb);
  // A binding is judged where pods are bound.
  if (kind.resource !== 'bindings') await checkAdmission(registry, operation, kind);
  const result = await answer(registry, operation);
  if ('type' in result && result.type === 'status') return result as Result;
  const object = { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata: {}, ...result } as unknown as JsonObject;
  return { type: 'plain', object, created: true };
}

function reviewToken(registry: Registry, { body }: Operation): object {
  const { spec } = body as TokenReview;
  const asked = spec.audiences ?? [];
  const audiences = asked.length === 0 ? [registry.tokens.issuer] : asked;
  const user = registry.authenticator.serviceAccountOf(spec.token ?? '', audiences);
  if (user === undefined) return { spec, status: { user: {}, error: 'invalid bearer token' } };
  return { spec, status: { authenticated: true, user: userView(user), audiences } };
}

function reviewSelf(_registry: Registry, { user }: Operation): Pick<SelfSubjectReview, 'status'> {
  return { status: { userInfo: userView(user) } } as Pick<SelfSubjectReview, 'status'>;
}

function userView({ name, uid, groups, extra }: UserInfo): object {
  return { username: name, ...(uid === undefined ? {} : { uid }), groups, ...(extra === undefined ? {} : { extra }) };
}

function reviewAccess(registry: Registry, { body, namespace }: Operation): object {
  const { spec } = body as SubjectAccessReview;
  if (namespace !== '' && spec.resourceAttributes?.namespace !== namespace)
    throw badRequest('spec.resourceAttributes.namespace must match metadata.namespace');
  const user: UserInfo = {
    name: spec.user ?? '',
    groups: spec.groups ?? [],
    ...(spec.uid === undefined ? {} : { uid: spec.uid }),
  };
  return { spec, status: decide(registry, user, spec) };
}

function reviewOwnAccess(registry: Registry, { body, user }: Operation): object {
  const { spec } = body as SubjectAccessReview;
  return { spec, status: decide(registry, user, spec) };
}

function decide(registry: Registry, user: UserInfo, spec: SubjectAccessReview['spec']): object {
  const { outcome, reason } = registry.authorizer.authorize(accessAttributes(user, spec));
  return {
    allowed: outcome === 'allow',
    ...(outcome === 'deny' ? { denied: true } : {}),
    ...(reason === '' ? {} : { reason }),
  };
}

function accessAttributes(
  user: UserInfo,
  { resourceAttributes: asked, nonResourceAttributes }: SubjectAccessReview['spec'],
): AccessAttributes {
  const nothing = { group: '', version: '', resource: '', subresource: '', namespace: '', name: '', path: '' };
  if (asked === undefined)
    return { ...nothing, user, verb: nonResourceAttributes?.verb ?? '', path: nonResourceAttributes?.path ?? '' };
  const { verb = '', group = '', version = '', resource = '', subresource = '', namespace = '', name = '' } = asked;
  return { ...nothing, user, verb, group, version, resource, subresource, namespace, name };
}

function reviewOwnRules(registry: Registry, { body, user }: Operation): object {
  const { spec } = body as { spec: { readonly namespace?: string } };
  const rules = registry.rbac.rulesFor(user, spec.namespace ?? '');
  const everything = user.groups.includes('system:masters');
  const resourceRules = rules
    .filter(({ resources }) => resources !== undefined)
    .map(({ verbs, apiGroups, resources, resourceNames }) => ({
      verbs,
      apiGroups,
      resources,
      ...(resourceNames === undefined ? {} : { resourceNames }),
    }));
  const nonResourceRules = rules
    .filter(({ nonResourceURLs }) => nonResourceURLs !== undefined)
    .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs }));
  if (everything) {
    resourceRules.unshift({ verbs: ['*'], apiGroups: ['*'], resources: ['*'] });
    nonResourceRules.unshift({ verbs: ['*'], nonResourceURLs: ['*'] });
  }
  return { spec: {}, status: { resourceRules, nonResourceRules, incomplete: false } };
}

/** The older way to bind a pod: POST to `bindings` with the pod's name in the metadata. */
async function bindPod(registry: Registry, operation: Operation): Promise<Result> {
  const { metadata } = operation.body as Binding;
  const resource = registry.resources.of(Pod);
  return binding.create!(registry, { ...operation, resource, subresource: 'binding', name: metadata.name ?? '' });
}

/** Deprecated upstream and still asked for by old scripts: all components live in this process. */
function componentStatuses({ verb, name }: Operation): Result {
  const healthy = (component: string) => ({
    kind: 'ComponentStatus',
    apiVersion: 'v1',
    metadata: { name: component },
    conditions: [{ type: 'Healthy', status: 'True', message: 'ok' }],
  });
  if (verb === 'get') return { type: 'plain', object: healthy(name) as unknown as JsonObject, created: false };
  const items = ['controller-manager', 'etcd-0', 'scheduler'].map(healthy);
  return {
    type: 'plain',
    object: { kind: 'ComponentStatusList', apiVersion: 'v1', metadata: {}, items } as unknown as JsonObject,
    created: false,
  };
}
