import type { Kind } from '#kinds/kind.ts';
import { type ApiObject, apiVersionOf, type OwnerReference } from '#machinery/meta.ts';

/** The owner that manages the object; an object has at most one. */
export function controllerOf(object: ApiObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller === true);
}

/** The reference by which `owner` controls what it makes. */
export function controllerReference<T extends ApiObject>(kind: Kind<T>, owner: T): OwnerReference {
  return {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    name: owner.metadata.name ?? '',
    uid: owner.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}

export function isControlledBy(object: ApiObject, owner: ApiObject): boolean {
  return controllerOf(object)?.uid === owner.metadata.uid;
}

/** The controller's name when it is of this kind. */
export function controllerNameOf(object: ApiObject, kind: Kind): string | undefined {
  const owner = controllerOf(object);
  const isKind = owner?.kind === kind.kind && owner.apiVersion.split('/')[0] === (kind.group || kind.version);
  return isKind ? owner?.name : undefined;
}
