import type { Pod } from '#kinds/generated/types/core_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import { fieldError } from '#machinery/errors.ts';
import type { Mutable } from '#machinery/meta.ts';
import { patchObject } from '../registry/patch.ts';
import { getObject } from '../registry/read.ts';
import { replaceObject, type SubresourceRules } from '../registry/update.ts';
import type { SubresourceHandler } from './handler.ts';
import { keepMetadata } from './pod-metadata.ts';

/** `kubectl debug`: ephemeral containers may be added to a running pod, never changed or removed (KEP-277). */
const rules: SubresourceRules = {
  prepare(object, old) {
    keepMetadata(object, old);
    const next = object as unknown as Mutable<Pod>;
    const before = old as Pod;
    const { ephemeralContainers } = next.spec;
    next.spec = {
      ...(before.spec as Mutable<Pod>['spec']),
      ...(ephemeralContainers === undefined ? {} : { ephemeralContainers }),
    };
    if (before.status !== undefined) next.status = before.status as NonNullable<Mutable<Pod>['status']>;
  },
  validate(object, old) {
    const added = new Map(
      ((object as Pod).spec.ephemeralContainers ?? []).map((container) => [container.name, container]),
    );
    return ((old as Pod).spec.ephemeralContainers ?? [])
      .filter((container) => !equalValues(container, added.get(container.name)))
      .map(({ name }) =>
        fieldError.forbidden(
          'spec.ephemeralContainers',
          `existing ephemeral containers "${name}" may not be ${added.has(name) ? 'changed' : 'removed'}`,
        ),
      );
  },
};

export const ephemeralContainers: SubresourceHandler = {
  get: getObject,
  update: (registry, operation) => replaceObject(registry, operation, { rules }),
  patch: (registry, operation) => patchObject(registry, operation, { rules }),
};
