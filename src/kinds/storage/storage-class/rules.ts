import type * as storage from '#kinds/generated/types/storage_v1.ts';
import type { KindRules } from '#kinds/kind.ts';

export const storageClassRules: KindRules<storage.StorageClass> = {
  defaults(storage) {
    storage.reclaimPolicy ??= 'Delete';
    storage.volumeBindingMode ??= 'Immediate';
  },
};
