import { defaultTemplate } from '#kinds/core/pod-template/defaults.ts';
import type * as batch from '#kinds/generated/types/batch_v1.ts';
import type { KindRules } from '#kinds/kind.ts';
import { validateCronJob } from '../validation.ts';

export const cronJobRules: KindRules<batch.CronJob> = {
  validate: validateCronJob,
  defaults({ spec }) {
    spec.concurrencyPolicy ??= 'Allow';
    spec.suspend ??= false;
    spec.successfulJobsHistoryLimit ??= 3;
    spec.failedJobsHistoryLimit ??= 1;
    if (spec.jobTemplate.spec !== undefined) defaultTemplate(spec.jobTemplate.spec.template);
  },
};
