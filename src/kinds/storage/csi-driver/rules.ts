import type * as storage from '#kinds/generated/types/storage_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { equalValues } from '#machinery/equality.ts';
import { validateCsiDriver, validateCsiDriverUpdate } from '../validation.ts';

const tokenWarning =
  'spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes';

/** The feature of this field is still off. */
function dropUngated(spec: { preventPodSchedulingIfMissing?: boolean }): void {
  delete spec.preventPodSchedulingIfMissing;
}

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
  prepareForCreate: ({ spec }) => dropUngated(spec),
  validate: validateCsiDriver,
  validateUpdate: validateCsiDriverUpdate,
  allowUnconditionalUpdate: false,
  // Generation counts changes alone: a new driver has none.
  hasGeneration: false,
  prepareForUpdate(driver, old) {
    dropUngated(driver.spec);
    if (!equalValues(driver.spec, old.spec)) driver.metadata.generation = (old.metadata.generation ?? 0) + 1;
  },
  warnings({ spec }, old) {
    const isChanged = old === undefined || !equalValues(spec.tokenRequests, old.spec.tokenRequests);
    const isOpen = (spec.tokenRequests ?? []).length > 0 && spec.serviceAccountTokenInSecrets === undefined;
    return isChanged && isOpen ? [tokenWarning] : [];
  },
};
