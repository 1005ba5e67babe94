import { Pod } from '#kinds/generated/handles.ts';
import type { Binding } from '#kinds/generated/types/core_v1.ts';
import { badRequest, methodNotSupported } from '#machinery/errors.ts';
import { type ApiObject, apiVersionOf, type JsonObject, type Mutable } from '#machinery/meta.ts';
import { reviewSelf, reviewToken } from '../authentication/reviews.ts';
import { reviewAccess, reviewOwnAccess, reviewOwnRules } from '../authorization/reviews.ts';
import { cleanNew } from '../registry/create.ts';
import { trackOwnership } from '../registry/managed-fields.ts';
import type { Operation, Result } from '../registry/operation.ts';
import type { Registry } from '../registry/registry.ts';
import { binding, targetNode } from './binding.ts';
import { componentStatuses } from './component-statuses.ts';
import { checkAdmission } from './handler.ts';

type Answer = (registry: Registry, operation: Operation) => object | Promise<object>;

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

/** Reviews whose metadata come back, with who wrote what. */
const tracked = new Set([
  'tokenreviews',
  'subjectaccessreviews',
  'localsubjectaccessreviews',
  'selfsubjectaccessreviews',
]);

export async function answerReview(registry: Registry, operation: Operation): Promise<Result> {
  const { kind } = operation.resource;
  const answer = answers[`${kind.group}/${kind.resource}`];
  if (kind.resource === 'componentstatuses') return componentStatuses(operation);
  if (answer === undefined || operation.verb !== 'create') throw methodNotSupported(kind, operation.verb);
  // A binding is judged where pods are bound.
  if (kind.resource !== 'bindings') await checkAdmission(registry, operation, kind);
  const body = operation.body as Mutable<ApiObject>;
  if (kind.resource !== 'bindings') cleanNew(operation, body);
  if (tracked.has(kind.resource)) await trackOwnership(registry, operation, body, undefined);
  const result = await answer(registry, operation);
  if ('type' in result && result.type === 'status') return result as Result;
  const object = { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata: {}, ...result } as unknown as JsonObject;
  return { type: 'plain', object, created: true };
}

/** The older way to bind a pod: POST to `bindings` with the pod's name in the metadata. */
async function bindPod(registry: Registry, operation: Operation): Promise<Result> {
  const { metadata, target } = operation.body as Binding;
  targetNode(target);
  if ((metadata.name ?? '') === '') throw badRequest('Name parameter required.');
  const resource = registry.resources.of(Pod);
  return binding.create!(registry, { ...operation, resource, subresource: 'binding', name: metadata.name ?? '' });
}
