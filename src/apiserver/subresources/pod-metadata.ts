import type { ApiObject, Mutable } from '#machinery/meta.ts';

/**
 * A door to part of a pod's spec leaves the metadata alone: what is new there is who wrote through it. That it is another
 * object is for validation to say.
 */
export function keepMetadata(object: Mutable<ApiObject>, old: ApiObject): void {
  const { managedFields, uid } = object.metadata;
  object.metadata = {
    ...(old.metadata as Mutable<ApiObject>['metadata']),
    ...(uid === undefined ? {} : { uid }),
    ...(managedFields === undefined ? {} : { managedFields }),
  };
}
