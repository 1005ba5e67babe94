import { validateFinalizedNamespace } from '#kinds/core/namespace/validation.ts';
import type { Namespace } from '#kinds/generated/types/core_v1.ts';
import type { ApiObject, Mutable } from '#machinery/meta.ts';
import { removeObject } from '../registry/delete.ts';
import { replaceObject } from '../registry/update.ts';
import { objectKey } from '../resources/storage-keys.ts';
import type { SubresourceHandler } from './handler.ts';

/** The namespace controller gives up its hold: only `spec.finalizers` may change, and the last one ends the namespace. */
export const finalize: SubresourceHandler = {
  async update(registry, operation) {
    const rules = {
      prepare(object: Mutable<ApiObject>, old: ApiObject) {
        const next = object as unknown as Mutable<Namespace>;
        const before = old as Namespace;
        const finalizers = next.spec?.finalizers;
        Object.assign(next, before, { metadata: next.metadata, spec: finalizers === undefined ? {} : { finalizers } });
      },
      validate: (object: ApiObject) => validateFinalizedNamespace(object as Namespace),
    };
    const result = await replaceObject(registry, operation, { rules });
    const { resource, name } = operation;
    const entry = resource.storage!.cache.get(objectKey({ name }));
    const namespace = entry?.value.object as Namespace | undefined;
    if (entry === undefined || namespace?.metadata.deletionTimestamp === undefined) return result;
    if ((namespace.spec?.finalizers ?? []).length > 0 || (namespace.metadata.finalizers ?? []).length > 0)
      return result;
    await removeObject(registry, operation, entry, namespace);
    return result;
  },
};
