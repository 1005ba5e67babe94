import { parsedSelector, validateMatch, validateTemplate } from '#kinds/core/pod-template/validation.ts';
import type * as batch from '#kinds/generated/types/batch_v1.ts';
import type { PodTemplateSpec } from '#kinds/generated/types/core_v1.ts';
import { goStruct } from '#kinds/go-struct.ts';
import { immutable, nonNegative, oneOf, requiredOneOf, validateLabelSelector } from '#kinds/validation/common.ts';
import { type FieldError, fieldError, GoMap } from '#machinery/errors.ts';
import { matchesLabels } from '#machinery/labels.ts';
import { label1123Problems } from '#machinery/names.ts';
import { scheduleProblem } from './schedule.ts';

const maximumIndexedParallelism = 100_000;
/** Room for what the controller adds to the names of jobs. */
const maximumCronJobName = 52;

export function validateJob(job: batch.Job): FieldError[] {
  return [...validateGeneratedSelector(job), ...validateSpec(job.spec), ...validateHostname(job)];
}

/** The specification of a job, which has a selector: that in a template gets its own later. */
function validateSpec(spec: batch.JobSpec): FieldError[] {
  const { selector } = spec;
  const errors = validateJobSpec(spec, 'spec');
  if (selector === undefined) errors.push(fieldError.required('spec.selector'));
  else errors.push(...validateLabelSelector(selector, 'spec.selector'));
  return [...errors, ...validateMatch(parsedSelector(selector), spec.template)];
}

/** Unless the client takes care of that, a job selects the pods that carry its own uid and name. */
function validateGeneratedSelector({ spec, metadata }: batch.Job): FieldError[] {
  if (spec.manualSelector === true || spec.selector === undefined) return [];
  const { uid = '', name = '' } = metadata;
  const expected = {
    'controller-uid': uid,
    'job-name': name,
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
  };
  const labels = spec.template.metadata?.labels ?? {};
  const errors = Object.entries(expected).flatMap(([key, value]) => validateHasLabel(labels, key, value));
  const parsed = parsedSelector(spec.selector);
  if (parsed === undefined || matchesLabels(parsed, expected)) return errors;
  const shown = goStruct('v1.LabelSelector', spec.selector);
  return [...errors, fieldError.invalid('spec.selector', shown, '`selector` not auto-generated')];
}

function validateHasLabel(labels: Readonly<Record<string, string>>, key: string, value: string): FieldError[] {
  const path = `spec.template.metadata.labels[${key}]`;
  const actual = labels[key];
  if (actual === undefined) return [fieldError.required(path, `must be '${value}'`)];
  return actual === value ? [] : [fieldError.invalid(path, new GoMap(labels), `must be '${value}'`)];
}

/** The pods of an indexed job are called by their index. */
function validateHostname({ spec, metadata: { name = '' } }: batch.Job): FieldError[] {
  if (spec.completionMode !== 'Indexed' || (spec.completions ?? 0) <= 0) return [];
  const last = `${name}-${spec.completions! - 1}`;
  if (label1123Problems(last).length === 0) return [];
  const detail = `will not able to create pod with invalid DNS label: ${last}`;
  return [fieldError.invalid('metadata.name', name, detail)];
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
  const { completionMode: mode } = spec;
  if (mode !== undefined && mode !== 'Indexed' && mode !== 'NonIndexed')
    errors.push(fieldError.notSupportedInOrder(`${path}.completionMode`, mode, ['NonIndexed', 'Indexed']));
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
      const shown = field === 'successPolicy' ? goStruct('batch.SuccessPolicy', spec[field]) : spec[field];
      errors.push(fieldError.invalid(`${path}.${field}`, shown, 'requires indexed completion mode'));
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
    return [fieldError.notSupportedInOrder(at, policy, ['OnFailure', 'Never'])];
  const isForbidden = spec.podFailurePolicy !== undefined && policy !== 'Never';
  return isForbidden
    ? [fieldError.invalid(at, policy, 'only "Never" is supported when podFailurePolicy is specified')]
    : [];
}

export function validateJobUpdate({ spec }: batch.Job, { spec: old, status }: batch.Job): FieldError[] {
  const errors: FieldError[] = [];
  const isUnstarted = old.suspend === true && status?.startTime === undefined;
  errors.push(
    ...validateSpec(spec),
    ...validateCompletions(spec, old),
    ...immutable(spec.selector, old.selector, 'spec.selector', 'v1.LabelSelector'),
    ...(isUnstarted
      ? immutable(
          withoutPlacement(spec.template),
          withoutPlacement(old.template),
          'spec.template',
          'core.PodTemplateSpec',
        )
      : immutable(spec.template, old.template, 'spec.template', 'core.PodTemplateSpec')),
  );
  for (const field of [
    'completionMode',
    'podFailurePolicy',
    'backoffLimitPerIndex',
    'managedBy',
    'successPolicy',
  ] as const) {
    errors.push(...immutable(spec[field], old[field], `spec.${field}`, printedAs[field]));
  }
  return errors;
}

const printedAs = {
  completionMode: undefined,
  podFailurePolicy: 'batch.PodFailurePolicy',
  backoffLimitPerIndex: undefined,
  managedBy: undefined,
  successPolicy: 'batch.SuccessPolicy',
} as const;

function validateCompletions(spec: batch.JobSpec, old: batch.JobSpec): FieldError[] {
  const isElastic = old.completionMode === 'Indexed' && spec.completions !== undefined && old.completions !== undefined;
  if (!isElastic) return immutable(spec.completions, old.completions, 'spec.completions');
  if (spec.completions === old.completions || spec.completions === spec.parallelism) return [];
  const detail = 'can only be modified in tandem with spec.parallelism';
  return [fieldError.invalid('spec.completions', spec.completions, detail)];
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
