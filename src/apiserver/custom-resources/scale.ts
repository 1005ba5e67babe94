import type { CustomResourceSubresourceScale } from '#kinds/generated/types/apiextensions_v1.ts';
import type { Json, JsonObject } from '#machinery/meta.ts';
import type { ScalePaths } from '../resources/custom-form.ts';

/** Paths are plain: `.spec.replicas`. */
export function scalePaths(scale: CustomResourceSubresourceScale | undefined): ScalePaths | undefined {
  if (scale === undefined) return undefined;
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = scale;
  return {
    specReplicas: fieldsOf(specReplicasPath),
    statusReplicas: fieldsOf(statusReplicasPath),
    labelSelector:
      labelSelectorPath === undefined || labelSelectorPath === '' ? undefined : fieldsOf(labelSelectorPath),
  };
}

function fieldsOf(path: string): readonly string[] {
  return path.split('.').slice(1);
}

/** What stands at a path of field names. */
export function valueAt(value: Json, path: readonly string[]): Json | undefined {
  let at: Json | undefined = value;
  for (const name of path) {
    if (typeof at !== 'object' || at === null || Array.isArray(at)) return undefined;
    at = Object.hasOwn(at, name) ? (at as JsonObject)[name] : undefined;
  }
  return at;
}
