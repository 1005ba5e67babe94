import { dropDisabledTemplateFields } from '#kinds/core/pod/disabled.ts';
import { makerWarnings } from '#kinds/core/pod/warnings/index.ts';
import { defaultTemplate } from '#kinds/core/pod-template/defaults.ts';
import type * as apps from '#kinds/generated/types/apps_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { validateReplicaSetStatus } from '../status.ts';
import { validateReplicaSet, validateSelectorUpdate } from '../validation.ts';

export const replicaSetRules: KindRules<apps.ReplicaSet> = {
  validate: validateReplicaSet,
  validateUpdate: validateSelectorUpdate,
  validateStatusUpdate: validateReplicaSetStatus,
  defaults({ spec }) {
    spec.replicas ??= 1;
    if (spec.template !== undefined) defaultTemplate(spec.template);
  },
  prepareForCreate(set, context) {
    dropDisabledTemplateFields(set.spec.template, undefined, context);
    set.status = { replicas: 0 };
  },
  prepareForUpdate: ({ spec }, old, context) => dropDisabledTemplateFields(spec.template, old.spec.template, context),
  warnings: makerWarnings,
};
