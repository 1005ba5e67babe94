import { applyPatch } from '#machinery/apply/index.ts';
import { badRequest, conflict, fieldError, invalid, notFound } from '#machinery/errors.ts';
import { type ApiObject, apiVersionOf, type JsonObject, type Mutable } from '#machinery/meta.ts';
import { createObject } from './create.ts';
import { checkLocation, placeIn } from './location.ts';
import type { Operation, Result } from './operation.ts';
import { otherVersions } from './other-versions.ts';
import type { Registry } from './registry.ts';
import { resetFieldsOf } from './reset-fields.ts';
import { copyOf } from './sent.ts';
import { type UpdateOptions, updateObject } from './update.ts';

/** A subresource through which a part of an object is applied. */
export interface AppliedThrough {
  /** The version in which conflicts are told. */
  readonly apiVersion: string;
  /** Says in the object what the subresource means where nothing is said. */
  readonly complete: (object: Mutable<ApiObject>) => void;
}

export interface ApplyObjectOptions extends UpdateOptions {
  readonly through?: AppliedThrough;
}

/** Server-side apply: the client says what it wants, the server knows who owns what (KEP-555). */
export function applyObject(registry: Registry, operation: Operation, options: ApplyObjectOptions): Promise<Result> {
  const { resource, subresource, name, options: asked } = operation;
  if ((asked.fieldManager ?? '') === '') {
    throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [
      fieldError.required('fieldManager', 'is required for apply patch'),
    ]);
  }
  const patch = configurationOf(operation.body);
  const apply = async (live: ApiObject | undefined): Promise<Mutable<ApiObject>> => {
    const applied = await applyPatch({
      live,
      patch,
      schema: resource.schema,
      ...(resource.custom === undefined ? {} : { conform: resource.custom.conformApplied }),
      manager: asked.fieldManager!,
      force: asked.force === true,
      now: registry.environment.clock.now(),
      subresource,
      apiVersion: apiVersionOf(resource.kind),
      kind: resource.kind.kind,
      seenAs: options.through?.apiVersion,
      versions: otherVersions(registry.resources, resource, subresource),
      resetFields: resetFieldsOf(resource, subresource),
      emptied: operation.emptied,
    });
    checkLocation(operation, { ...applied, metadata: applied.metadata ?? {} });
    // What did not change is shared with the live object, which nobody may touch.
    const object = copyOf(operation, applied);
    placeIn(operation, object);
    options.through?.complete(object);
    const { resourceVersion } = (patch['metadata'] ?? {}) as { readonly resourceVersion?: string };
    if (live !== undefined && resourceVersion === undefined) delete object.metadata.resourceVersion;
    // To say that there is none is to say one that no object has.
    if (live !== undefined && resourceVersion === '') object.metadata.resourceVersion = '0';
    return object;
  };
  const whenAbsent = async (): Promise<Result> => {
    if (subresource !== '') throw notFound(resource.kind, name);
    const object = await apply(undefined);
    const { uid } = object.metadata;
    if (uid !== undefined && uid !== '') {
      const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
      throw conflict(resource.kind, name, why);
    }
    delete object.metadata.resourceVersion;
    const type = { kind: resource.kind.kind, apiVersion: apiVersionOf(resource.kind) };
    return createObject(
      registry,
      { ...operation, body: Object.assign({ ...type }, object, type) },
      { managesFields: true },
    );
  };
  return updateObject(registry, operation, apply, { ...options, whenAbsent, managesFields: true });
}

/** What is applied. @throws ApiError 400 where it is no object. */
export function configurationOf(body: unknown): JsonObject {
  if (body === null || body === undefined) return {};
  if (typeof body === 'object' && !Array.isArray(body)) return body as JsonObject;
  const what = Array.isArray(body) ? 'array' : typeof body === 'boolean' ? 'bool' : typeof body;
  const why = `json: cannot unmarshal ${what} into Go value of type map[string]interface {}`;
  throw badRequest(`error decoding YAML: error unmarshaling JSON: while decoding JSON: ${why}`);
}
