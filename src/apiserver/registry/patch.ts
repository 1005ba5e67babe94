import { cloneObject } from '#machinery/clone.ts';
import { ApiError, badRequest, fieldError, invalid } from '#machinery/errors.ts';
import { conform, DecodeError, stringifyJson } from '#machinery/json.ts';
import type { ApiObject, Json, JsonObject, Mutable } from '#machinery/meta.ts';
import { applyJsonPatch } from '#machinery/patch/json-patch.ts';
import { applyMergePatch } from '#machinery/patch/merge-patch.ts';
import { applyStrategicPatch, PatchFormatError } from '#machinery/patch/strategic-patch.ts';
import type { ObjectSchema } from '#machinery/schema.ts';
import { applyObject } from './apply.ts';
import type { Operation, PatchType, Result } from './operation.ts';
import type { Registry } from './registry.ts';
import { checkLocation, type UpdateOptions, updateObject } from './update.ts';

/** PATCH in its four forms. A patch without a resourceVersion is tried again when another writer came first. */
export function patchObject(registry: Registry, operation: Operation, options: UpdateOptions = {}): Promise<Result> {
  if (operation.options.patchType === 'apply') return applyObject(registry, operation, options);
  return updateObject(registry, operation, (current) => patched(registry, operation, current), options);
}

function patched(registry: Registry, operation: Operation, current: ApiObject): Mutable<ApiObject> {
  const { resource, body, options } = operation;
  if (resource.custom !== undefined && options.patchType === 'strategic') throw strategicUnsupported(registry);
  const result = applyPatchDocument(options.patchType!, current as unknown as JsonObject, body, resource.schema);
  const object = checkedObject(operation, result);
  checkLocation(operation, object);
  if (!namesResourceVersion(body)) delete object.metadata.resourceVersion;
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
  if (type === 'json') return jsonPatched(original, patch);
  if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) throw badRequest('the patch is no object');
  if (type === 'merge') return applyMergePatch(original, patch as Json) as JsonObject;
  try {
    return applyStrategicPatch(original, patch as JsonObject, schema);
  } catch (error) {
    throw error instanceof PatchFormatError ? badRequest(error.message) : error;
  }
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

/** What a patch makes must still be an object of its kind; unknown fields are reported as the client asked. */
function checkedObject(operation: Operation, result: JsonObject): Mutable<ApiObject> {
  const { options, warn } = operation;
  const { value, unknown } = conformed(operation, result);
  const problems = unknown.map((path) => `unknown field ${JSON.stringify(path)}`);
  if (problems.length > 0 && options.fieldValidation === 'Strict') {
    throw new ApiError(400, 'BadRequest', `strict decoding error: ${problems.join(', ')}`);
  }
  if (options.fieldValidation !== 'Ignore') for (const text of problems) warn(text);
  // The patched document shares what did not change with the cached object, which nobody may touch.
  return cloneObject(value as unknown as ApiObject);
}

function conformed({ resource, options }: Operation, result: JsonObject): ReturnType<typeof conform> {
  try {
    return resource.custom?.conform(result) ?? conform(result, resource.schema);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const message = options.patchType === 'strategic' ? error.bare : error.message;
    throw invalid({ group: '', kind: '' }, '', [fieldError.invalid('patch', stringifyJson(result), message)]);
  }
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
