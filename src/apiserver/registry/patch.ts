import { ApiError, badRequest, fieldError, invalid } from '#machinery/errors.ts';
import { withExplicitNulls } from '#machinery/explicit-nulls.ts';
import type { ApiObject, JsonObject, Mutable } from '#machinery/meta.ts';
import { applyJsonPatch } from '#machinery/patch/json-patch.ts';
import { applyMergePatch } from '#machinery/patch/merge-patch.ts';
import { applyStrategicPatch, PatchFormatError } from '#machinery/patch/strategic-patch.ts';
import type { ObjectSchema } from '#machinery/schema.ts';
import { applyObject } from './apply.ts';
import { checkLocation, placeIn } from './location.ts';
import type { Operation, PatchType, Result } from './operation.ts';
import { patchedObject } from './patched-object.ts';
import type { Registry } from './registry.ts';
import { type UpdateOptions, updateObject } from './update.ts';

/** PATCH in its four forms. A patch without a resourceVersion is tried again when another writer came first. */
export function patchObject(registry: Registry, operation: Operation, options: UpdateOptions = {}): Promise<Result> {
  if (operation.options.patchType === 'apply') return applyObject(registry, operation, options);
  if (operation.options.force !== undefined)
    throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [
      fieldError.forbidden('force', 'may not be specified for non-apply patch'),
    ]);
  return updateObject(registry, operation, (current) => patched(registry, operation, current), options);
}

/** The object after the patch, which is of the operation's resource and its place. @throws ApiError 400, 415, 422. */
export function patched(registry: Registry, operation: Operation, current: ApiObject): Mutable<ApiObject> {
  const { resource, body, options } = operation;
  if (resource.custom !== undefined && options.patchType === 'strategic') throw strategicUnsupported(registry);
  const result = applyPatchDocument(options.patchType!, current as unknown as JsonObject, body, resource.schema);
  const object = patchedObject(registry, operation, result, current);
  checkLocation(operation, object);
  placeIn(operation, object);
  if (!namesResourceVersion(body)) delete object.metadata.resourceVersion;
  // Who takes the version away wants to replace any.
  if (isOfNoVersion(result)) object.metadata.resourceVersion = '0';
  return object;
}

/** Nobody knows how lists of a custom kind are merged. */
function strategicUnsupported(registry: Registry): ApiError {
  const accepted = ['application/json-patch+json', 'application/merge-patch+json', 'application/apply-patch+yaml'];
  if (registry.featureEnabled('CBORServingAndStorage')) accepted.push('application/apply-patch+cbor');
  return new ApiError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );
}

/** The document after the patch; the original is not touched. @throws ApiError 400, 422. */
export function applyPatchDocument(
  type: PatchType,
  original: JsonObject,
  patch: unknown,
  schema: ObjectSchema,
): JsonObject {
  if (type === 'json') return jsonPatched(withExplicitNulls(original, schema), patch);
  const document = documentOf(type, patch);
  if (type === 'merge') return applyMergePatch(original, document) as JsonObject;
  try {
    return applyStrategicPatch(withExplicitNulls(original, schema), document, schema);
  } catch (error) {
    throw error instanceof PatchFormatError ? refused(error) : error;
  }
}

function refused({ message, blames }: PatchFormatError): ApiError {
  return blames === 'client' ? badRequest(message) : new ApiError(500, '', message);
}

function documentOf(type: PatchType, patch: unknown): JsonObject {
  if (patch === null) {
    if (type === 'strategic') return {};
    throw badRequest('Invalid JSON Patch');
  }
  if (typeof patch === 'object' && !Array.isArray(patch)) return patch as JsonObject;
  const prefix = type === 'strategic' ? '' : 'error decoding patch: ';
  const what = Array.isArray(patch) ? 'array' : typeof patch === 'boolean' ? 'bool' : typeof patch;
  throw badRequest(`${prefix}json: cannot unmarshal ${what} into Go value of type map[string]interface {}`);
}

/** Upstream keeps to itself what of a JSON patch did not fit the object. */
function jsonPatched(original: JsonObject, patch: unknown): JsonObject {
  try {
    return applyJsonPatch(original, patch) as JsonObject;
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 422) throw error;
    throw new ApiError(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
  }
}

function isOfNoVersion({ metadata }: JsonObject): boolean {
  const { resourceVersion } = (metadata ?? {}) as { readonly resourceVersion?: unknown };
  return (resourceVersion ?? '') === '';
}

function namesResourceVersion(patch: unknown): boolean {
  if (patch === null || typeof patch !== 'object') return false;
  if (Array.isArray(patch)) {
    return (patch as { op?: unknown; path?: unknown }[]).some(
      ({ op, path }) => path === '/metadata/resourceVersion' && op !== 'test',
    );
  }
  const { metadata } = patch as { metadata?: { resourceVersion?: unknown } | null };
  return (metadata?.resourceVersion ?? '') !== '';
}
