import { defaultClaimSpec } from '#kinds/core/pod/volume-defaults.ts';
import { defaultTemplate } from '#kinds/core/pod-template/defaults.ts';
import type * as apps from '#kinds/generated/types/apps_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { validateStatefulSetStatus } from '../status.ts';
import { validateStatefulSet, validateStatefulSetUpdate } from '../validation.ts';

export const statefulSetRules: KindRules<apps.StatefulSet> = {
  validate: validateStatefulSet,
  nameRule: 'label',
  validateUpdateOnly: true,
  validateUpdate: validateStatefulSetUpdate,
  validateStatusUpdate: validateStatefulSetStatus,
  defaults({ spec }) {
    spec.podManagementPolicy ??= 'OrderedReady';
    spec.updateStrategy ??= {};
    if (spec.updateStrategy.type === undefined) {
      spec.updateStrategy.type = 'RollingUpdate';
      spec.updateStrategy.rollingUpdate ??= {};
    }
    if (spec.updateStrategy.type === 'RollingUpdate' && spec.updateStrategy.rollingUpdate !== undefined) {
      spec.updateStrategy.rollingUpdate.partition ??= 0;
    }
    spec.persistentVolumeClaimRetentionPolicy ??= {};
    spec.persistentVolumeClaimRetentionPolicy.whenDeleted ??= 'Retain';
    spec.persistentVolumeClaimRetentionPolicy.whenScaled ??= 'Retain';
    spec.replicas ??= 1;
    spec.revisionHistoryLimit ??= 10;
    defaultTemplate(spec.template);
    for (const claim of spec.volumeClaimTemplates ?? []) {
      claim.apiVersion = 'v1';
      claim.kind = 'PersistentVolumeClaim';
      claim.status ??= {};
      claim.status.phase ??= 'Pending';
      if (claim.spec !== undefined) defaultClaimSpec(claim.spec);
    }
  },
  prepareForCreate(set) {
    set.status = { replicas: 0, availableReplicas: 0 };
  },
};
