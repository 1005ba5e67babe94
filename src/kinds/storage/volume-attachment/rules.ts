import { defaultPersistentSources } from '#kinds/core/pod/volume-defaults.ts';
import type { VolumeAttachment } from '#kinds/generated/types/storage_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { validateAttachmentStatus, validateVolumeAttachment, validateVolumeAttachmentUpdate } from '../validation.ts';

export const volumeAttachmentRules: KindRules<VolumeAttachment> = {
  defaults({ spec }) {
    const volume = spec?.source?.inlineVolumeSpec;
    if (volume !== undefined) defaultPersistentSources(volume);
  },
  validate: validateVolumeAttachment,
  validateUpdate: validateVolumeAttachmentUpdate,
  validateStatusUpdate: ({ status }) => validateAttachmentStatus(status, 'status'),
  hasGeneration: false,
  allowUnconditionalUpdate: false,
};
