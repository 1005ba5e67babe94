import { validatePod } from '#kinds/core/pod/rules.ts';
import { validatePodResize } from '#kinds/core/pod/validation/resize.ts';
import type { Container, Pod } from '#kinds/generated/types/core_v1.ts';
import type { Mutable } from '#machinery/meta.ts';
import { patchObject } from '../registry/patch.ts';
import { getObject } from '../registry/read.ts';
import { replaceObject, type SubresourceRules } from '../registry/update.ts';
import type { SubresourceHandler } from './handler.ts';
import { keepMetadata } from './pod-metadata.ts';

/** In-place resize (KEP-1287): the resources and resize policies of existing containers, and nothing else. */
const rules: SubresourceRules = {
  prepare(object, old) {
    const next = object as unknown as Mutable<Pod>;
    const before = old as Pod;
    // Who adds or removes containers has sent something else than a resize: that is for validation to say.
    const isResize = (['containers', 'initContainers'] as const).every(
      (list) => (next.spec?.[list] ?? []).length === (before.spec[list] ?? []).length,
    );
    if (!isResize) return;
    keepMetadata(object, old);
    const { containers, initContainers, resources } = next.spec;
    const { resources: _, ...rest } = before.spec;
    const spec: Pod['spec'] = {
      ...rest,
      containers: resized(containers, before.spec.containers),
      ...(initContainers === undefined
        ? {}
        : { initContainers: resized(initContainers, before.spec.initContainers ?? []) }),
      ...(resources === undefined ? {} : { resources }),
    };
    next.spec = spec as Mutable<Pod>['spec'];
    if (before.status !== undefined) next.status = before.status as NonNullable<Mutable<Pod>['status']>;
  },
  validate: (object, old) => [...validatePod(object as Pod), ...validatePodResize(object as Pod, old as Pod)],
};

/** The containers that there are with the resources that are wanted; as they were sent, where they are others. */
function resized(wanted: readonly Container[], before: readonly Container[]): Container[] {
  if (wanted.some(({ name }, index) => name !== before[index]!.name)) return [...wanted];
  return before.map((container, index) => {
    const { resources: _, resizePolicy: __, ...rest } = container;
    const { resources, resizePolicy } = wanted[index]!;
    return {
      ...rest,
      ...(resources === undefined ? {} : { resources }),
      ...(resizePolicy === undefined ? {} : { resizePolicy }),
    };
  });
}

export const resize: SubresourceHandler = {
  get: getObject,
  update: (registry, operation) => replaceObject(registry, operation, { rules }),
  patch: (registry, operation) => patchObject(registry, operation, { rules }),
};
