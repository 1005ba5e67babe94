import { StorageClass } from '#kinds/generated/handles.ts';
import type { PersistentVolumeClaim } from '#kinds/generated/types/core_v1.ts';
import { compareQuantities, quantity } from '#machinery/quantity.ts';
import { type AdmissionPlugin, lookUp, refusal } from '../plugin.ts';

const betaClass = 'volume.beta.kubernetes.io/storage-class';

/** Claims grow only where their class says that volumes can. */
export const persistentVolumeClaimResize: AdmissionPlugin = {
  name: 'PersistentVolumeClaimResize',
  operations: ['UPDATE'],
  resources: ['/persistentvolumeclaims'],
  validate(attributes, registry) {
    const claim = attributes.object as PersistentVolumeClaim;
    const old = attributes.oldObject as PersistentVolumeClaim;
    if (compareQuantities(sizeOf(claim), sizeOf(old)) <= 0) return;
    if (old.status?.phase !== 'Bound') throw refusal(attributes, 'Only bound persistent volume claims can be expanded');
    const name = classOf(claim);
    const found = name === '' || name !== classOf(old) ? undefined : lookUp(registry, StorageClass, { name });
    if (found?.allowVolumeExpansion === true) return;
    throw refusal(
      attributes,
      'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
    );
  },
};

function sizeOf({ spec }: PersistentVolumeClaim) {
  return quantity(spec?.resources?.requests?.['storage']);
}

function classOf({ metadata, spec }: PersistentVolumeClaim): string {
  return metadata.annotations?.[betaClass] ?? spec?.storageClassName ?? '';
}
