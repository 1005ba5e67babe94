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
    keepMetadata(object, old);
    const next = object as unknown as Mutable<Pod>;
    const before = old as Pod;
    const wanted = new Map(
      [...next.spec.containers, ...(next.spec.initContainers ?? [])].map((container) => [container.name, container]),
    );
    const resized = (containers: readonly Container[]): Container[] =>
      containers.map((container) => {
        const { resources, resizePolicy } = wanted.get(container.name) ?? container;
        return {
          ...container,
          ...(resources === undefined ? {} : { resources }),
          ...(resizePolicy === undefined ? {} : { resizePolicy }),
        };
      });
    const { resources } = next.spec;
    const spec = {
      ...before.spec,
      containers: resized(before.spec.containers),
      ...(before.spec.initContainers === undefined ? {} : { initContainers: resized(before.spec.initContainers) }),
      ...(resources === undefined ? {} : { resources }),
    };
    next.spec = spec as Mutable<Pod>['spec'];
    if (before.status !== undefined) next.status = before.status as NonNullable<Mutable<Pod>['status']>;
  },
};

export const resize: SubresourceHandler = {
  get: getObject,
  update: (registry, operation) => replaceObject(registry, operation, { rules }),
  patch: (registry, operation) => patchObject(registry, operation, { rules }),
};
