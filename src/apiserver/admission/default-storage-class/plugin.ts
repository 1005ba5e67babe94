import { StorageClass } from '#kinds/generated/handles.ts';
import type { PersistentVolumeClaim } from '#kinds/generated/types/core_v1.ts';
import { type AdmissionPlugin, lookUpAll, objectAs } from '../plugin.ts';
import { newestDefault } from './newest.ts';

const marks = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class'];
const betaClass = 'volume.beta.kubernetes.io/storage-class';

/** Claims that name no class get the cluster's default one. */
export const defaultStorageClass: AdmissionPlugin = {
  name: 'DefaultStorageClass',
  operations: ['CREATE'],
  resources: ['/persistentvolumeclaims'],
  mutate(attributes, registry) {
    const claim = objectAs<PersistentVolumeClaim>(attributes);
    if (claim.spec?.storageClassName !== undefined || claim.metadata.annotations?.[betaClass] !== undefined) return;
    const name = newestDefault(lookUpAll(registry, StorageClass), marks);
    if (name !== undefined) claim.spec = { ...claim.spec, storageClassName: name };
  },
};
