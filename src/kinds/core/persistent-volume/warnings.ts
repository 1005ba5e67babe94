import { oldClassWarnings } from '#kinds/core/persistent-volume-claim/warnings.ts';
import { termWarnings } from '#kinds/core/pod/warnings/placement.ts';
import type { PersistentVolume } from '#kinds/generated/types/core_v1.ts';

const oldMountOptions = 'volume.beta.kubernetes.io/mount-options';

/** Kinds of volumes that are out of use, in the order in which they are told of. */
const old = {
  cephfs: 'deprecated in v1.28, non-functional in v1.31+',
  photonPersistentDisk: 'deprecated in v1.11, non-functional in v1.16+',
  scaleIO: 'deprecated in v1.16, non-functional in v1.22+',
  storageos: 'deprecated in v1.22, non-functional in v1.25+',
  glusterfs: 'deprecated in v1.25, non-functional in v1.26+',
  rbd: 'deprecated in v1.28, non-functional in v1.31+',
} as const;

export function volumeWarnings({ metadata, spec }: PersistentVolume): readonly string[] {
  const warnings = oldClassWarnings(metadata.annotations);
  if (metadata.annotations?.[oldMountOptions] !== undefined)
    warnings.push(
      `metadata.annotations[${oldMountOptions}]: deprecated since v1.31; use "mountOptions" attribute instead`,
    );
  if (spec.persistentVolumeReclaimPolicy === 'Recycle')
    warnings.push(
      'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
    );
  for (const [index, term] of (spec.nodeAffinity?.required?.nodeSelectorTerms ?? []).entries())
    warnings.push(...termWarnings(term, `spec.nodeAffinity.required.nodeSelectorTerms[${index}]`, 'keys'));
  for (const [field, message] of Object.entries(old)) {
    // Upstream writes one of them in its own way.
    const name = field === 'storageos' ? 'storageOS' : field;
    if (spec[field as keyof typeof old] !== undefined) warnings.push(`spec.${name}: ${message}`);
  }
  return warnings;
}
