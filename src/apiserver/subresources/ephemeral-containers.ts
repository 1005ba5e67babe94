import { validatePod } from '#kinds/core/pod/rules.ts';
import { mirrorAnnotation } from '#kinds/core/pod/validation/annotations.ts';
import type { EphemeralContainer, Pod } from '#kinds/generated/types/core_v1.ts';
import { goDiff } from '#kinds/go-struct.ts';
import { equalValues } from '#machinery/equality.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
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
    const { spec, status } = old as Mutable<Pod>;
    const { ephemeralContainers } = next.spec;
    next.spec = { ...spec };
    if (ephemeralContainers === undefined) delete next.spec.ephemeralContainers;
    else next.spec.ephemeralContainers = ephemeralContainers;
    if (status !== undefined) next.status = status;
  },
  validate(object, old) {
    const pod = object as Pod;
    if (old.metadata.annotations?.[mirrorAnnotation] !== undefined)
      return [fieldError.forbidden('[]', 'static pods do not support ephemeral containers')];
    const before = (old as Pod).spec.ephemeralContainers ?? [];
    return [...validatePod(pod), ...lostOrChanged(before, pod.spec.ephemeralContainers ?? [])];
  },
};

function lostOrChanged(before: readonly EphemeralContainer[], after: readonly EphemeralContainer[]): FieldError[] {
  const kept = new Map(after.map((container) => [container.name, container]));
  return before.flatMap((container) => {
    const { name } = container;
    const now = kept.get(name);
    const refused = (what: string) =>
      fieldError.forbidden('spec.ephemeralContainers', `existing ephemeral containers "${name}" may not be ${what}`);
    if (now === undefined) return [refused('removed\n')];
    if (equalValues(container, now)) return [];
    return [refused(`changed\n${goDiff('core.EphemeralContainer', container, now)}`)];
  });
}

export const ephemeralContainers: SubresourceHandler = {
  get: getObject,
  update: (registry, operation) => replaceObject(registry, operation, { rules }),
  patch: (registry, operation) => patchObject(registry, operation, { rules }),
};
