import { conform } from '#machinery/conform.ts';
import { equalValues } from '#machinery/equality.ts';
import type { ApiObject, GroupVersionKind, Json, Mutable } from '#machinery/meta.ts';
import { StoredObject } from '../cache/stored-object.ts';
import { converterBetween } from '../resources/conversion.ts';
import type { ServedResource } from '../resources/resource.ts';
import type { AdmissionAttributes } from './plugin.ts';

/** The objects of a request as a webhook or policy sees them. */
export interface ObjectsView {
  readonly kind: GroupVersionKind;
  readonly object: ApiObject | undefined;
  readonly oldObject: ApiObject | undefined;
}

/**
 * The objects in the version of `resource`, which is the request's own or stands for the same objects. A promise
 * only where a custom kind is converted.
 */
export function objectsIn(
  attributes: AdmissionAttributes,
  resource: ServedResource,
): ObjectsView | Promise<ObjectsView> {
  const { request, objectKind, oldObject } = attributes;
  const object = attributes.object as ApiObject | undefined;
  if (objectKind !== undefined) return { kind: objectKind, object, oldObject };
  if (resource === request.resource) return { kind: resource.kind, object, oldObject };
  return convertedView(attributes, resource);
}

async function convertedView(
  { request, object, oldObject }: AdmissionAttributes,
  to: ServedResource,
): Promise<ObjectsView> {
  const convert = async (value: ApiObject | undefined): Promise<ApiObject | undefined> =>
    value === undefined ? undefined : await converted(value, request.resource, to);
  return { kind: to.kind, object: await convert(object as ApiObject | undefined), oldObject: await convert(oldObject) };
}

async function converted(object: ApiObject, from: ServedResource, to: ServedResource): Promise<ApiObject> {
  if (from.custom === undefined || to.custom === undefined) return converterBetween(from.kind, to.kind)(object);
  const kept = StoredObject.ofObject(await from.custom.toStorage(object));
  await to.custom.ready([kept]);
  return to.custom.served(kept).object;
}

/**
 * Makes `next`, which is in the version of `resource`, the object of the request: without fields that the kind does
 * not have, with its defaults. `next` is the request's from then on. Answers whether that changed anything.
 * @throws DecodeError when it does not have the kind's shape.
 */
export async function takeObject(
  attributes: AdmissionAttributes,
  resource: ServedResource,
  next: ApiObject,
): Promise<boolean> {
  const { request, object, objectKind } = attributes;
  const own = request.resource;
  if (object === undefined) return false;
  let taken = next;
  if (objectKind === undefined) {
    if (resource !== own) taken = await converted(next, resource, own);
    const json = taken as unknown as Json;
    taken = (own.custom?.conform(json) ?? conform(json, own.schema)).value as unknown as ApiObject;
    own.rules.defaults?.(taken as Mutable<ApiObject>);
  }
  if (equalValues(taken, object)) return false;
  const target = object as unknown as Record<string, unknown>;
  for (const field of Object.keys(target)) if (!Object.hasOwn(taken, field)) delete target[field];
  Object.assign(target, taken);
  return true;
}
