import { ApiError } from '#machinery/errors.ts';
import { conform } from '#machinery/json.ts';
import type { ApiObject, JsonObject, Mutable } from '#machinery/meta.ts';
import type { ObjectSchema } from '#machinery/schema.ts';
import type { Operation, PatchType, Result } from './operation.ts';
import { applyJsonPatch, applyMergePatch, applyObject, applyStrategicPatch } from './pending.ts';
import type { Registry } from './registry.ts';
import { type UpdateOptions, updateObject } from './update.ts';

/** PATCH in its four forms. A patch without a resourceVersion is tried again when another writer came first. */
export function patchObject(registry: Registry, operation: Operation, options: UpdateOptions = {}): Promise<Result> {
  const { patchType } = operation.options;
  if (patchType === 'apply') return applyObject(registry, operation);
  return updateObject(registry, operation, (current) => patched(operation, current), options);
}

function patched(operation: Operation, current: ApiObject): Mutable<ApiObject> {
  const { resource, body, options } = operation;
  const result = applyPatchDocument(options.patchType!, current as unknown as JsonObject, body, resource.schema);
  const object = checkedObject(operation, result);
  if (!namesResourceVersion(body)) delete object.metadata.resourceVersion;
  return object;
}

/** The document after the patch; the original is not touched. */
export function applyPatchDocument(
  type: PatchType,
  original: JsonObject,
  patch: unknown,
  schema: ObjectSchema,
): JsonObject {
  switch (type) {
    case 'json':
      return applyJsonPatch(original, patch) as JsonObject;
    case 'merge':
      return applyMergePatch(original, patch as JsonObject) as JsonObject;
    case 'strategic':
      return applyStrategicPatch(original, patch as JsonObject, schema) as JsonObject;
    case 'apply':
      throw new ApiError(415, 'UnsupportedMediaType', 'apply patches are not supported here');
  }
}

/** What a patch makes must still be an object of its kind; unknown fields are reported as the client asked. */
export function checkedObject({ resource, options, warn }: Operation, result: JsonObject): Mutable<ApiObject> {
  const { value, unknown } = conform(result, resource.schema);
  if (unknown.length > 0) {
    if (options.fieldValidation === 'Strict') {
      throw new ApiError(400, 'BadRequest', `strict decoding error: ${unknown.join(', ')}`);
    }
    if (options.fieldValidation === 'Warn') for (const text of unknown) warn(text);
  }
  const object = value as unknown as Mutable<ApiObject>;
  object.metadata ??= {};
  return object;
}

function namesResourceVersion(patch: unknown): boolean {
  if (patch === null || typeof patch !== 'object') return false;
  if (Array.isArray(patch))
    return patch.some(
      (step) =>
        (step as { op?: unknown; path?: unknown }).path === '/metadata/resourceVersion' &&
        (step as { op?: unknown }).op !== 'test',
    );
  const { metadata } = patch as { metadata?: { resourceVersion?: unknown } };
  return metadata !== null && typeof metadata === 'object' && (metadata.resourceVersion ?? '') !== '';
}
