import { dropDisabledTemplateFields } from '#kinds/core/pod/disabled.ts';
import { nameWarnings } from '#kinds/core/pod/warnings/index.ts';
import { defaultTemplate } from '#kinds/core/pod-template/defaults.ts';
import type * as batch from '#kinds/generated/types/batch_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { defaultFailurePolicy } from '../job/rules.ts';
import { validateCronJob, validateCronJobUpdate } from '../validation.ts';
import { jobSpecWarnings } from '../warnings.ts';

export const cronJobRules: KindRules<batch.CronJob> = {
  validate: validateCronJob,
  validateUpdate: validateCronJobUpdate,
  validateUpdateOnly: true,
  defaults({ spec }) {
    spec.concurrencyPolicy ??= 'Allow';
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= 3;
    spec.failedJobsHistoryLimit ??= 1;
    if (spec.jobTemplate.spec === undefined) return;
    defaultFailurePolicy(spec.jobTemplate.spec);
    defaultTemplate(spec.jobTemplate.spec.template);
  },
  prepareForCreate: ({ spec }, context) =>
    dropDisabledTemplateFields(spec.jobTemplate.spec?.template, undefined, context),
  prepareForUpdate: ({ spec }, old, context) =>
    dropDisabledTemplateFields(spec.jobTemplate.spec?.template, old.spec.jobTemplate.spec?.template, context),
  warnings(cronJob, old) {
    const { metadata, spec } = cronJob;
    const warnings = old === undefined ? [...nameWarnings(cronJob)] : [];
    if (metadata.generation !== old?.metadata.generation)
      warnings.push(...jobSpecWarnings(spec.jobTemplate.spec, 'spec.jobTemplate.spec'));
    if (old !== undefined && spec.schedule.includes('TZ')) {
      const where = 'https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/';
      warnings.push(
        `cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see ${where} for more details`,
      );
    }
    return warnings;
  },
};
