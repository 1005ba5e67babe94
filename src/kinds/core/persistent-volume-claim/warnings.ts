import { fractionWarnings } from '#kinds/core/pod/warnings/resources.ts';
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from '#kinds/generated/types/core_v1.ts';

/** The annotation that stood for the class before there was a field for it. */
const oldClassAnnotation = 'volume.beta.kubernetes.io/storage-class';
const useField = 'deprecated since v1.8; use "storageClassName" attribute instead';

/** Of volumes and claims. */
export function oldClassWarnings(annotations: Readonly<Record<string, string>> | undefined): string[] {
  if (annotations?.[oldClassAnnotation] === undefined) return [];
  return [`metadata.annotations[${oldClassAnnotation}]: ${useField}`];
}

export function claimWarnings({ metadata, spec }: PersistentVolumeClaim): readonly string[] {
  return [...oldClassWarnings(metadata.annotations), ...claimSpecWarnings(spec, 'spec')];
}

export function claimSpecWarnings(spec: PersistentVolumeClaimSpec | undefined, path: string): string[] {
  return (['requests', 'limits'] as const).flatMap((list) =>
    fractionWarnings(spec?.resources?.[list], 'storage', `${path}.resources.${list}`),
  );
}
