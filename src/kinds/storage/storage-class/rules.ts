import type * as storage from '#kinds/generated/types/storage_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { validateStorageClass, validateStorageClassUpdate } from './validation.ts';

export const storageClassRules: KindRules<storage.StorageClass> = {
  validate: validateStorageClass,
  validateUpdate: validateStorageClassUpdate,
  defaults(storage) {
    storage.reclaimPolicy ??= 'Delete';
    storage.volumeBindingMode ??= 'Immediate';
  },
};
