import type * as storage from '#kinds/generated/types/storage_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { validateCsiDriver, validateCsiDriverUpdate } from '../validation.ts';

export const csiDriverRules: KindRules<storage.CSIDriver> = {
  defaults({ spec }) {
    spec.attachRequired ??= true;
    spec.podInfoOnMount ??= false;
    spec.storageCapacity ??= false;
    spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType';
    spec.volumeLifecycleModes ??= ['Persistent'];
    spec.requiresRepublish ??= false;
    spec.seLinuxMount ??= false;
  },
  validate: validateCsiDriver,
  validateUpdate: validateCsiDriverUpdate,
  allowUnconditionalUpdate: false,
  hasGeneration: false,
};
