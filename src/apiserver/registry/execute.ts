import { type ApiError, badRequest, forbidden, methodNotSupported, notFound } from '#machinery/errors.ts';
import type { ApiObject } from '#machinery/meta.ts';
import { customScale } from '../subresources/custom-scale.ts';
import { subresourceHandlers } from '../subresources/index.ts';
import { answerReview } from '../subresources/reviews.ts';
import { createObject } from './create.ts';
import { deleteObject } from './delete.ts';
import { deleteCollection } from './delete-collection.ts';
import type { Operation, Result } from './operation.ts';
import { patchObject } from './patch.ts';
import { getObject, listObjects, watchObjects } from './read.ts';
import type { Registry } from './registry.ts';
import { replaceObject } from './update.ts';

/** Carries out one authorised request on a resource. @throws ApiError for every expected failure, at once or later. */
export function execute(registry: Registry, operation: Operation): Promise<Result> {
  const { fresh } = registry.store;
  if (fresh === undefined || acceptsOlder(registry, operation)) return carryOut(registry, operation);
  return fresh.call(registry.store).then(() => carryOut(registry, operation));
}

function carryOut(registry: Registry, operation: Operation): Promise<Result> {
  const { resource, subresource, verb, name, namespace } = operation;
  if (resource.kind.namespaced && namespace === '' && verb !== 'list' && verb !== 'watch') {
    throw badRequest('an empty namespace may not be set during creation');
  }
  if (resource.custom?.isTerminating === true && verb === 'create') throw terminating(operation);
  if (subresource !== '' && subresource !== 'status') return executeSubresource(registry, operation);
  if (subresource === 'status' && !resource.subresources.has('status')) throw notFound(resource.kind, name);
  if (resource.storage === undefined) return answerReview(registry, operation);
  if (subresource === '' && !resource.verbs.has(verb)) throw methodNotSupported(resource.kind, verb);
  switch (verb) {
    case 'get':
      return Promise.resolve(getObject(registry, operation));
    case 'list':
      return listObjects(registry, operation);
    case 'watch':
      return watchObjects(registry, operation);
    case 'create':
      return createObject(registry, operation);
    case 'update':
      return replaceObject(registry, operation);
    case 'patch':
      return patchObject(registry, operation);
    case 'delete':
      return deleteObject(registry, operation);
    case 'deletecollection':
      return deleteCollection(registry, operation);
    case 'connect':
      throw methodNotSupported(resource.kind, verb);
  }
}

/** Whether what this server has seen so far will do, although others write to the same store. */
function acceptsOlder({ store }: Registry, { verb, options: { resourceVersion = '' } }: Operation): boolean {
  const isRead = verb === 'get' || verb === 'list' || verb === 'watch';
  return isRead && resourceVersion !== '' && !(Number(resourceVersion) > store.revision);
}

/** A kind that is going away takes nothing new. */
function terminating({ resource, body }: Operation): ApiError {
  const name = (body as ApiObject | undefined)?.metadata.name ?? '';
  return forbidden(resource.kind, name, 'create not allowed while custom resource definition is terminating');
}

async function executeSubresource(registry: Registry, operation: Operation): Promise<Result> {
  const { resource, subresource, verb, name } = operation;
  const { kind } = resource;
  const isCustomScale = resource.custom !== undefined && subresource === 'scale';
  const handler = isCustomScale ? customScale : subresourceHandlers[`${kind.group}/${kind.resource}/${subresource}`];
  if (!resource.subresources.has(subresource) || handler === undefined) throw notFound(kind, name);
  const method =
    verb === 'get' || verb === 'create' || verb === 'update' || verb === 'patch' ? handler[verb] : undefined;
  if (method === undefined) throw methodNotSupported(kind, verb);
  return method(registry, operation);
}
