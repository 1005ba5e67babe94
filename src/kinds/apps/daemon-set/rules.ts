import { dropDisabledTemplateFields } from '#kinds/core/pod/disabled.ts';
import { templateWarnings } from '#kinds/core/pod/warnings/index.ts';
import { defaultTemplate } from '#kinds/core/pod-template/defaults.ts';
import type * as apps from '#kinds/generated/types/apps_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { equalValues } from '#machinery/equality.ts';
import { validateDaemonSetStatus } from '../status.ts';
import { validateDaemonSet, validateSelectorUpdate } from '../validation.ts';

const templateGeneration = 'deprecated.daemonset.template.generation';

export const daemonSetRules: KindRules<apps.DaemonSet> = {
  fieldAnnotation: templateGeneration,
  validate: validateDaemonSet,
  validateUpdate: validateSelectorUpdate,
  validateStatusUpdate: validateDaemonSetStatus,
  defaults({ spec, metadata }) {
    // The generation of the template lives on as an annotation, as objects of the first beta had it.
    if (metadata.annotations?.[templateGeneration] === undefined)
      metadata.annotations = { ...metadata.annotations, [templateGeneration]: '0' };
    spec.updateStrategy ??= {};
    spec.updateStrategy.type ??= 'RollingUpdate';
    if (spec.updateStrategy.type === 'RollingUpdate') {
      spec.updateStrategy.rollingUpdate ??= {};
      spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
      spec.updateStrategy.rollingUpdate.maxSurge ??= 0;
    }
    spec.revisionHistoryLimit ??= 10;
    defaultTemplate(spec.template);
  },
  prepareForCreate(set, context) {
    dropDisabledTemplateFields(set.spec.template, undefined, context);
    set.metadata.annotations = { ...set.metadata.annotations, [templateGeneration]: '1' };
    set.status = { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 };
  },
  warnings({ metadata, spec }, old) {
    const isSame = metadata.annotations?.[templateGeneration] === old?.metadata.annotations?.[templateGeneration];
    return isSame ? [] : templateWarnings(spec.template, 'spec.template');
  },
  prepareForUpdate(set, old, context) {
    dropDisabledTemplateFields(set.spec.template, old.spec.template, context);
    const before = Number(old.metadata.annotations?.[templateGeneration] ?? '0');
    const now = equalValues(set.spec.template, old.spec.template) ? before : before + 1;
    set.metadata.annotations = { ...set.metadata.annotations, [templateGeneration]: String(now) };
  },
  prepareForStatusUpdate({ metadata }, old) {
    const before = old.metadata.annotations?.[templateGeneration];
    if (before !== undefined) metadata.annotations = { ...metadata.annotations, [templateGeneration]: before };
  },
};
