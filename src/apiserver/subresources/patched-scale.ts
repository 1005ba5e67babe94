import type { Scale } from '#kinds/generated/types/autoscaling_v1.ts';
import { schemaNamed } from '#kinds/schemas.ts';
import { checkConfiguration } from '#machinery/apply/index.ts';
import { conflict, fieldError, invalid } from '#machinery/errors.ts';
import { type ApiObject, apiVersionOf, type Json, type JsonObject } from '#machinery/meta.ts';
import { configurationOf } from '../registry/apply.ts';
import { checkLocation } from '../registry/location.ts';
import type { Operation } from '../registry/operation.ts';
import { patched } from '../registry/patch.ts';
import type { Registry } from '../registry/registry.ts';
import type { ServedResource } from '../resources/resource.ts';

const schema = schemaNamed('autoscaling.v1.Scale');
export const scaleKind = { group: 'autoscaling', version: 'v1', kind: 'Scale' };

/** A scale that was sent as a whole. @throws ApiError 400 where it is of another object than the request. */
export function sentScale(operation: Operation): Scale {
  const scale = operation.body as Scale;
  checkLocation(operation, { ...scale, metadata: scale.metadata ?? {} } as ApiObject);
  return scale;
}

/** A scale after a patch, which has to be a scale still. @throws ApiError 400, 422. */
export function patchedScale(registry: Registry, operation: Operation, current: Scale): Scale {
  const scaled: Operation = { ...operation, resource: asScale(operation.resource) };
  return patched(registry, scaled, current as unknown as ApiObject) as unknown as Scale;
}

/**
 * What is applied to an object when replicas are applied to its scale: nobody owns more of a scale.
 * @param path where the object says how many replicas there are to be
 * @throws ApiError 400, 500 where what is applied is no scale
 */
export function appliedThroughScale({ resource, body }: Operation, path: readonly string[]): JsonObject {
  const patch = configurationOf(body);
  checkConfiguration({ patch, schema, apiVersion: apiVersionOf(scaleKind), kind: scaleKind.kind });
  const { metadata = {}, spec } = patch as { readonly [member: string]: Json };
  const whole = { apiVersion: apiVersionOf(resource.kind), kind: resource.kind.kind, metadata };
  const { replicas } = (spec ?? {}) as { readonly replicas?: Json };
  if (replicas === undefined) return whole;
  const [first, ...inner] = path;
  return { ...whole, [first!]: inner.reduceRight<Json>((value, name) => ({ [name]: value }), replicas) };
}

/** The resource as it is seen through its scale. */
function asScale({ custom: _, ...resource }: ServedResource): ServedResource {
  const kind = { ...resource.kind, ...scaleKind };
  return { ...resource, kind, schema };
}

/** @throws ApiError 409, 422 */
export function checkScale({ verb, resource, name }: Operation, { spec, metadata }: Scale, current: ApiObject): void {
  const replicas = spec?.replicas ?? 0;
  if (replicas < 0)
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, name, [
      fieldError.invalid('spec.replicas', replicas, 'must be greater than or equal to 0'),
    ]);
  const wanted = metadata?.uid ?? '';
  const { uid } = current.metadata;
  // That of a whole scale is for the storage to judge.
  if (verb === 'update' || wanted === '' || wanted === uid) return;
  const { group } = resource.kind;
  const why = `Precondition failed: UID in precondition: ${wanted}, UID in object meta: ${uid}`;
  throw conflict({ group, resource: `${resource.kind.resource}/scale` }, name, why);
}
