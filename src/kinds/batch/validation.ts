import { validateTemplate } from '#kinds/core/pod-template/validation.ts';
import type * as batch from '#kinds/generated/types/batch_v1.ts';
import type { PodTemplateSpec } from '#kinds/generated/types/core_v1.ts';
import { immutable, nonNegative, oneOf, requiredOneOf, validateLabelSelector } from '#kinds/validation/common.ts';
import { equalValues } from '#machinery/equality.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { selects } from '#machinery/labels.ts';
import { scheduleProblem } from './schedule.ts';

const maximumIndexedParallelism = 100_000;
/** Room for what the controller adds to the names of jobs. */
const maximumCronJobName = 52;

export function validateJob(job: batch.Job): FieldError[] {
  const { spec } = job;
  const errors = validateJobSpec(spec, 'spec');
  if (spec.selector === undefined) return [...errors, fieldError.required('spec.selector')];
  errors.push(...validateLabelSelector(spec.selector, 'spec.selector'));
  const labels = spec.template.metadata?.labels;
  if (!selects(spec.selector, labels)) {
    const detail = '`selector` does not match template `labels`';
    errors.push(fieldError.invalid('spec.template.metadata.labels', labels, detail));
  }
  const uid = spec.selector.matchLabels?.['batch.kubernetes.io/controller-uid'];
  if (spec.manualSelector !== true && uid !== job.metadata.uid) {
    errors.push(fieldError.invalid('spec.selector', spec.selector, '`selector` not auto-generated'));
  }
  return errors;
}

const counts = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
] as const;

function validateJobSpec(spec: batch.JobSpec, path: string): FieldError[] {
  const errors = counts.flatMap((field) => nonNegative(spec[field], `${path}.${field}`));
  const isIndexed = spec.completionMode === 'Indexed';
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    errors.push(fieldError.required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'));
  }
  errors.push(...oneOf(spec.completionMode, ['Indexed', 'NonIndexed'], `${path}.completionMode`));
  if (isIndexed) {
    if (spec.completions === undefined) {
      errors.push(fieldError.required(`${path}.completions`, 'when completion mode is Indexed'));
    }
    if ((spec.parallelism ?? 0) > maximumIndexedParallelism) {
      const detail = `must be less than or equal to ${maximumIndexedParallelism} when completion mode is Indexed`;
      errors.push(fieldError.invalid(`${path}.parallelism`, spec.parallelism, detail));
    }
  } else {
    for (const field of ['backoffLimitPerIndex', 'maxFailedIndexes', 'successPolicy'] as const) {
      if (spec[field] === undefined) continue;
      errors.push(fieldError.invalid(`${path}.${field}`, spec[field], 'requires indexed completion mode'));
    }
  }
  const replacements = spec.podFailurePolicy === undefined ? ['Failed', 'TerminatingOrFailed'] : ['Failed'];
  errors.push(...oneOf(spec.podReplacementPolicy, replacements, `${path}.podReplacementPolicy`));
  errors.push(...validateTemplate(spec.template, `${path}.template`));
  return [...errors, ...validateRestartPolicy(spec, path)];
}

/** Pods that run to their end. */
function validateRestartPolicy(spec: batch.JobSpec, path: string): FieldError[] {
  const policy = spec.template.spec?.restartPolicy ?? '';
  const at = `${path}.template.spec.restartPolicy`;
  if (policy === '' || policy === 'Always') return [fieldError.required(at, 'valid values: "OnFailure", "Never"')];
  if (policy !== 'OnFailure' && policy !== 'Never')
    return [fieldError.notSupported(at, policy, ['OnFailure', 'Never'])];
  const isForbidden = spec.podFailurePolicy !== undefined && policy !== 'Never';
  return isForbidden
    ? [fieldError.invalid(at, policy, 'only "Never" is supported when podFailurePolicy is specified')]
    : [];
}

export function validateJobUpdate({ spec }: batch.Job, { spec: old, status }: batch.Job): FieldError[] {
  const errors: FieldError[] = [];
  const isElastic = old.completionMode === 'Indexed' && spec.completions !== undefined && old.completions !== undefined;
  if (!isElastic) {
    errors.push(...immutable(spec.completions, old.completions, 'spec.completions'));
  } else if (spec.completions !== old.completions && spec.completions !== spec.parallelism) {
    const detail = 'can only be modified in tandem with spec.parallelism';
    errors.push(fieldError.invalid('spec.completions', spec.completions, detail));
  }
  const isUnstarted = old.suspend === true && status?.startTime === undefined;
  errors.push(
    ...immutable(spec.selector, old.selector, 'spec.selector'),
    ...(isUnstarted
      ? immutable(withoutPlacement(spec.template), withoutPlacement(old.template), 'spec.template')
      : immutable(spec.template, old.template, 'spec.template')),
  );
  for (const field of [
    'completionMode',
    'podFailurePolicy',
    'backoffLimitPerIndex',
    'managedBy',
    'successPolicy',
  ] as const) {
    errors.push(...immutable(spec[field], old[field], `spec.${field}`));
  }
  return errors;
}

/** KEP-2926: where pods run may be decided until the first of them starts. */
function withoutPlacement(template: PodTemplateSpec): object {
  const { nodeSelector, affinity, tolerations, schedulingGates, ...spec } = template.spec ?? { containers: [] };
  const { nodeAffinity, ...others } = affinity ?? {};
  const { labels, annotations, ...metadata } = template.metadata ?? {};
  return { metadata, spec: { ...spec, ...(Object.keys(others).length > 0 ? { affinity: others } : {}) } };
}

export function validateCronJob(cronJob: batch.CronJob): FieldError[] {
  const { spec, metadata } = cronJob;
  const errors: FieldError[] = [];
  if ((metadata.name ?? '').length > maximumCronJobName) {
    errors.push(fieldError.invalid('metadata.name', metadata.name, 'must be no more than 52 characters'));
  }
  const { schedule = '', timeZone } = spec;
  if (schedule === '') {
    errors.push(fieldError.required('spec.schedule'));
  } else if (/^(TZ|CRON_TZ)=/.test(schedule)) {
    const detail =
      timeZone === undefined
        ? 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'
        : 'cannot use both timeZone field and TZ or CRON_TZ in schedule';
    errors.push(fieldError.invalid('spec.schedule', schedule, detail));
  } else {
    const problem = scheduleProblem(schedule);
    if (problem !== undefined) errors.push(fieldError.invalid('spec.schedule', schedule, problem));
  }
  errors.push(
    ...nonNegative(spec.startingDeadlineSeconds, 'spec.startingDeadlineSeconds'),
    ...validateTimeZone(timeZone),
    ...requiredOneOf(spec.concurrencyPolicy, ['Allow', 'Forbid', 'Replace'], 'spec.concurrencyPolicy'),
    ...nonNegative(spec.successfulJobsHistoryLimit, 'spec.successfulJobsHistoryLimit'),
    ...nonNegative(spec.failedJobsHistoryLimit, 'spec.failedJobsHistoryLimit'),
  );
  const job = spec.jobTemplate.spec;
  if (job === undefined) return errors;
  errors.push(...validateJobSpec(job, 'spec.jobTemplate.spec'));
  if (job.selector !== undefined) {
    errors.push(
      fieldError.invalid('spec.jobTemplate.spec.selector', job.selector, '`selector` will be auto-generated'),
    );
  }
  if (job.manualSelector === true) {
    errors.push(fieldError.notSupported('spec.jobTemplate.spec.manualSelector', true, ['nil', 'false']));
  }
  return errors;
}

function validateTimeZone(timeZone: string | undefined): FieldError[] {
  if (timeZone === undefined) return [];
  const path = 'spec.timeZone';
  if (timeZone === '') return [fieldError.invalid(path, timeZone, 'timeZone must be nil or non-empty string')];
  if (timeZone.toLowerCase() === 'local') {
    const detail = 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones';
    return [fieldError.invalid(path, timeZone, detail)];
  }
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return [];
  } catch {
    return [fieldError.invalid(path, timeZone, `unknown time zone ${timeZone}`)];
  }
}

/** A job that has ended stays ended. */
export function validateJobStatusUpdate({ status }: batch.Job, { status: old }: batch.Job): FieldError[] {
  const has = (of: batch.JobStatus | undefined, condition: string): boolean =>
    of?.conditions?.some(({ type, status: is }) => type === condition && is === 'True') === true;
  const errors: FieldError[] = [];
  for (const condition of ['Failed', 'Complete', 'FailureTarget']) {
    if (!has(old, condition) || has(status, condition)) continue;
    const detail = `cannot disable the terminal ${condition}=True condition`;
    errors.push({ type: 'FieldValueInvalid', path: 'status.conditions', message: `Invalid value: ${detail}` });
  }
  if (old?.completionTime !== undefined && !equalValues(old.completionTime, status?.completionTime)) {
    errors.push(fieldError.invalid('status.completionTime', status?.completionTime, 'field is immutable'));
  }
  return errors;
}
