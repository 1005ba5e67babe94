import { conform } from '#machinery/conform.ts';
import { equalValues } from '#machinery/equality.ts';
import type { ApiObject, GroupVersionKind, JsonObject, Mutable } from '#machinery/meta.ts';
import { converterBetween } from '../resources/conversion.ts';
import type { ServedResource } from '../resources/resource.ts';
import type { AdmissionAttributes } from './plugin.ts';

/** The objects of a request as a webhook or policy sees them. */
export interface ObjectsView {
  readonly kind: GroupVersionKind;
  readonly object: ApiObject | undefined;
  readonly oldObject: ApiObject | undefined;
}

/** The objects in the version of `resource`, which is the request's own or stands for the same objects. */
export function objectsIn(
  { request, object, oldObject, objectKind }: AdmissionAttributes,
  resource: ServedResource,
): ObjectsView {
  if (objectKind !== undefined) return { kind: objectKind, object: object as ApiObject | undefined, oldObject };
  if (resource === request.resource) return { kind: resource.kind, object: object as ApiObject | undefined, oldObject };
  const convert = converterBetween(request.resource.kind, resource.kind);
  return {
    kind: resource.kind,
    object: object === undefined ? undefined : convert(object as ApiObject),
    oldObject: oldObject === undefined ? undefined : convert(oldObject),
  };
}

/**
 * Makes `next`, which is in the version of `resource`, the object of the request: without fields that the kind does
 * not have, with its defaults. `next` is the request's from then on. Returns whether that changed anything.
 * @throws DecodeError when it does not have the kind's shape.
 */
export function takeObject(attributes: AdmissionAttributes, resource: ServedResource, next: ApiObject): boolean {
  const { request, object, objectKind } = attributes;
  const own = request.resource;
  if (object === undefined) return false;
  let taken = next;
  if (objectKind === undefined) {
    if (resource !== own) taken = converterBetween(resource.kind, own.kind)(next);
    taken = conform(taken as unknown as JsonObject, own.schema).value as unknown as ApiObject;
    own.rules.defaults?.(taken as Mutable<ApiObject>);
  }
  if (equalValues(taken, object)) return false;
  const target = object as unknown as Record<string, unknown>;
  for (const field of Object.keys(target)) if (!Object.hasOwn(taken, field)) delete target[field];
  Object.assign(target, taken);
  return true;
}
