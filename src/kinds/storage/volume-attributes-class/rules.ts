import type { VolumeAttributesClass } from '#kinds/generated/types/storage_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { validateAttributesClass, validateAttributesClassUpdate } from '../validation.ts';

export const volumeAttributesClassRules: KindRules<VolumeAttributesClass> = {
  validate: validateAttributesClass,
  validateUpdate: validateAttributesClassUpdate,
};
