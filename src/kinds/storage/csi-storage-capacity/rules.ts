import type { CSIStorageCapacity } from '#kinds/generated/types/storage_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { validateCsiStorageCapacity, validateCsiStorageCapacityUpdate } from '../validation.ts';

export const csiStorageCapacityRules: KindRules<CSIStorageCapacity> = {
  validate: validateCsiStorageCapacity,
  validateUpdate: validateCsiStorageCapacityUpdate,
  allowUnconditionalUpdate: false,
};
