import type * as core from '#kinds/generated/types/core_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { formatTime } from '#machinery/time.ts';
import { defaultPersistentSources } from '../pod/volume-defaults.ts';
import { validateVolume, validateVolumeUpdate } from './validation.ts';
import { volumeWarnings } from './warnings.ts';

export const persistentVolumeRules: KindRules<core.PersistentVolume> = {
  validate: validateVolume,
  validateUpdate: validateVolumeUpdate,
  warnings: volumeWarnings,
  defaults(volume) {
    volume.status ??= {};
    volume.status.phase ??= 'Pending';
    volume.spec.persistentVolumeReclaimPolicy ??= 'Retain';
    volume.spec.volumeMode ??= 'Filesystem';
    defaultPersistentSources(volume.spec);
  },
  prepareForCreate(volume, { now }) {
    volume.status = { phase: 'Pending', lastPhaseTransitionTime: formatTime(now) };
  },
  prepareForStatusUpdate(volume, old, { now }) {
    volume.status ??= {};
    const { status } = volume;
    const { phase, lastPhaseTransitionTime: before } = old.status ?? {};
    const { lastPhaseTransitionTime: said } = status;
    if (status.phase !== phase && (said === undefined || said === before))
      status.lastPhaseTransitionTime = formatTime(now);
    else if (said === undefined && before !== undefined) status.lastPhaseTransitionTime = before;
  },
  hasGeneration: false,
};
