import { dropDisabledTemplateFields } from '#kinds/core/pod/disabled.ts';
import { makerWarnings } from '#kinds/core/pod/warnings/index.ts';
import { defaultTemplate } from '#kinds/core/pod-template/defaults.ts';
import type * as apps from '#kinds/generated/types/apps_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { validateDeploymentStatus } from '../status.ts';
import { validateDeployment, validateSelectorUpdate } from '../validation.ts';

export const deploymentRules: KindRules<apps.Deployment> = {
  validate: validateDeployment,
  validateUpdate: validateSelectorUpdate,
  validateStatusUpdate: validateDeploymentStatus,
  defaults({ spec }) {
    spec.replicas ??= 1;
    spec.strategy ??= {};
    spec.strategy.type ??= 'RollingUpdate';
    if (spec.strategy.type === 'RollingUpdate') {
      spec.strategy.rollingUpdate ??= {};
      spec.strategy.rollingUpdate.maxUnavailable ??= '25%';
      spec.strategy.rollingUpdate.maxSurge ??= '25%';
    }
    spec.revisionHistoryLimit ??= 10;
    spec.progressDeadlineSeconds ??= 600;
    defaultTemplate(spec.template);
  },
  prepareForCreate: ({ spec }, context) => dropDisabledTemplateFields(spec.template, undefined, context),
  prepareForUpdate: ({ spec }, old, context) => dropDisabledTemplateFields(spec.template, old.spec.template, context),
  warnings: makerWarnings,
  countedMetadata: 'annotations',
};
