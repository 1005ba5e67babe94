import { claimSpecWarnings } from '#kinds/core/persistent-volume-claim/warnings.ts';
import { dropDisabledTemplateFields } from '#kinds/core/pod/disabled.ts';
import { defaultClaimSpec } from '#kinds/core/pod/volume-defaults.ts';
import { templateWarnings } from '#kinds/core/pod/warnings/index.ts';
import { defaultTemplate } from '#kinds/core/pod-template/defaults.ts';
import type * as apps from '#kinds/generated/types/apps_v1.ts';
import type { KindRules, RuleContext } from '#kinds/kind.ts';
import type { Mutable } from '#machinery/meta.ts';
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
      if (claim.apiVersion !== 'v1') claim.apiVersion = 'v1';
      if (claim.kind !== 'PersistentVolumeClaim') claim.kind = 'PersistentVolumeClaim';
      claim.status ??= {};
      claim.status.phase ??= 'Pending';
      if (claim.spec !== undefined) defaultClaimSpec(claim.spec);
    }
  },
  prepareForCreate(set, context) {
    dropUnavailable(set, undefined, context);
    dropDisabledTemplateFields(set.spec.template, undefined, context);
    set.status = { replicas: 0, availableReplicas: 0 };
  },
  prepareForUpdate(set, old, context) {
    dropUnavailable(set, old, context);
    dropDisabledTemplateFields(set.spec.template, old.spec.template, context);
  },
  warnings: statefulSetWarnings,
};

/** KEP-961: several pods at once are behind a feature gate. */
function dropUnavailable(
  { spec }: Mutable<apps.StatefulSet>,
  old: apps.StatefulSet | undefined,
  { featureEnabled }: RuleContext,
): void {
  const { rollingUpdate } = spec.updateStrategy ?? {};
  const wasUsed = old?.spec.updateStrategy?.rollingUpdate?.maxUnavailable !== undefined;
  if (rollingUpdate?.maxUnavailable !== undefined && !wasUsed && !featureEnabled('MaxUnavailableStatefulSet'))
    delete rollingUpdate.maxUnavailable;
}

function statefulSetWarnings({ metadata, spec }: apps.StatefulSet, old: apps.StatefulSet | undefined): string[] {
  const isSame = metadata.generation === old?.metadata.generation;
  const warnings = isSame ? [] : [...templateWarnings(spec.template, 'spec.template')];
  for (const [index, claim] of (spec.volumeClaimTemplates ?? []).entries()) {
    // Upstream words the same thing in two ways.
    const path = `spec.volumeClaimTemplates[${index}]${old === undefined ? '' : '.Spec'}`;
    warnings.push(...claimSpecWarnings(claim.spec, path));
  }
  if ((spec.revisionHistoryLimit ?? 0) < 0) {
    const detail = 'a negative value retains all historical revisions; a value >= 0 is recommended';
    warnings.push(`spec.revisionHistoryLimit: ${detail}`);
  }
  return warnings;
}
