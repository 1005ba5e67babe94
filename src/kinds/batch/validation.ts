import { parsedSelector, validateMatch, validateTemplate } from '#kinds/core/pod-template/validation.ts';
import type * as batch from '#kinds/generated/types/batch_v1.ts';
import type { PodSpec, PodTemplateSpec } from '#kinds/generated/types/core_v1.ts';
import { goStruct } from '#kinds/go-struct.ts';
import type { RuleContext } from '#kinds/kind.ts';
import {
  immutable,
  invalidAll,
  nonNegative,
  oneOf,
  requiredOneOf,
  validateLabelSelector,
} from '#kinds/validation/common.ts';
import { type FieldError, fieldError, GoMap } from '#machinery/errors.ts';
import { matchesLabels } from '#machinery/labels.ts';
import { byteLength, label1123Problems, subdomainProblems } from '#machinery/names.ts';
import { validateFailurePolicy, validateSuccessPolicy } from './job/policies.ts';
import { scheduleProblem } from './schedule.ts';

const maximumIndexed = 100_000;
/** Where there are more completions than that. */
const maximumAtMany = 10_000;
const maximumManagerBytes = 63;
const pathPattern = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
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
  const { podFailurePolicy, successPolicy, completionMode: mode } = spec;
  const errors = counts.flatMap((field) => nonNegative(spec[field], `${path}.${field}`));
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    errors.push(fieldError.required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'));
  }
  errors.push(...validateManager(spec.managedBy, `${path}.managedBy`));
  if (mode !== undefined && mode !== 'Indexed' && mode !== 'NonIndexed')
    errors.push(fieldError.notSupportedInOrder(`${path}.completionMode`, mode, ['NonIndexed', 'Indexed']));
  if (mode === 'Indexed') errors.push(...validateIndexed(spec, path));
  if (mode === undefined || mode === 'NonIndexed') {
    for (const field of ['backoffLimitPerIndex', 'maxFailedIndexes'] as const)
      if (spec[field] !== undefined)
        errors.push(fieldError.invalid(`${path}.${field}`, spec[field], 'requires indexed completion mode'));
  }
  if (podFailurePolicy !== undefined)
    errors.push(...validateFailurePolicy(podFailurePolicy, spec, `${path}.podFailurePolicy`));
  if (successPolicy !== undefined) {
    const at = `${path}.successPolicy`;
    const shown = goStruct('batch.SuccessPolicy', successPolicy);
    if (mode !== 'Indexed') errors.push(fieldError.invalid(at, shown, 'requires indexed completion mode'));
    else errors.push(...validateSuccessPolicy(successPolicy, spec.completions ?? 0, at));
  }
  const replacements = podFailurePolicy === undefined ? ['Failed', 'TerminatingOrFailed'] : ['Failed'];
  errors.push(...oneOf(spec.podReplacementPolicy, replacements, `${path}.podReplacementPolicy`));
  errors.push(...validateTemplate(spec.template, `${path}.template`));
  return [...errors, ...validateRestartPolicy(spec, path)];
}

/** KEP-4368: the controller of a job, as `example.com/controller`. */
function validateManager(manager: string | undefined, path: string): FieldError[] {
  if (manager === undefined) return [];
  const errors = manager === '' ? [fieldError.required(path)] : validatePrefixed(manager, path);
  const isTooLong = byteLength(manager) > maximumManagerBytes;
  return isTooLong ? [...errors, fieldError.tooLong(path, maximumManagerBytes)] : errors;
}

function validatePrefixed(text: string, path: string): FieldError[] {
  const slash = text.indexOf('/');
  if (slash <= 0 || slash === text.length - 1)
    return [fieldError.invalid(path, text, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  const [domain, rest] = [text.slice(0, slash), text.slice(slash + 1)];
  const errors = invalidAll(path, domain, subdomainProblems(domain));
  if (new RegExp(`^${pathPattern}$`).test(rest)) return errors;
  return [...errors, fieldError.invalid(path, rest, `Invalid path (regex used for validation is '${pathPattern}')`)];
}

function validateIndexed(spec: batch.JobSpec, path: string): FieldError[] {
  const { completions, parallelism = 0, maxFailedIndexes, backoffLimitPerIndex } = spec;
  const errors: FieldError[] = [];
  const atMost = 'must be less than or equal to';
  const refuse = (field: 'parallelism' | 'maxFailedIndexes', detail: string): void => {
    errors.push(fieldError.invalid(`${path}.${field}`, spec[field], `${atMost} ${detail}`));
  };
  if (completions === undefined)
    errors.push(fieldError.required(`${path}.completions`, 'when completion mode is Indexed'));
  if (parallelism > maximumIndexed) refuse('parallelism', `${maximumIndexed} when completion mode is Indexed`);
  if (completions !== undefined && (maxFailedIndexes ?? 0) > completions) refuse('maxFailedIndexes', 'completions');
  if ((maxFailedIndexes ?? 0) > maximumIndexed) refuse('maxFailedIndexes', `${maximumIndexed}`);
  if ((completions ?? 0) <= maximumIndexed || backoffLimitPerIndex === undefined) return errors;
  const detail = `${maximumAtMany} when completions are above ${maximumIndexed} and used with backoff limit per index`;
  if (maxFailedIndexes === undefined) {
    const needed = `must be specified when completions is above ${maximumIndexed}`;
    errors.push(fieldError.required(`${path}.maxFailedIndexes`, needed));
  }
  if (parallelism > maximumAtMany) refuse('parallelism', detail);
  if ((maxFailedIndexes ?? 0) > maximumAtMany) refuse('maxFailedIndexes', detail);
  return errors;
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

export function validateJobUpdate(
  { spec }: batch.Job,
  before: batch.Job,
  { featureEnabled }: RuleContext,
): FieldError[] {
  const errors: FieldError[] = [];
  const { spec: old } = before;
  errors.push(
    ...validateSpec(spec),
    ...validateCompletions(spec, old),
    ...immutable(spec.selector, old.selector, 'spec.selector', 'v1.LabelSelector'),
    ...validateTemplateChange(spec.template, before, featureEnabled),
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

/** KEP-3715: an indexed job may become larger or smaller, together with how much of it runs at once. */
function validateCompletions(spec: batch.JobSpec, old: batch.JobSpec): FieldError[] {
  const { completions } = spec;
  if (spec.completionMode !== 'Indexed') return immutable(completions, old.completions, 'spec.completions');
  if (completions === old.completions || completions === undefined || completions === spec.parallelism) return [];
  const detail = 'can only be modified in tandem with spec.parallelism';
  return [fieldError.invalid('spec.completions', completions, detail)];
}

/** Of a suspended job of which nothing runs, it may be decided anew where its pods run (KEP-2926), and with how much. */
function validateTemplateChange(
  template: PodTemplateSpec,
  { spec: old, status }: batch.Job,
  featureEnabled: RuleContext['featureEnabled'],
): FieldError[] {
  const isSuspended = old.suspend === true;
  const isAtRest =
    isSuspended &&
    (status?.active ?? 0) === 0 &&
    status?.conditions?.some((condition) => condition.type === 'Suspended' && condition.status === 'True') === true;
  const isUnstarted = isSuspended && status?.startTime === undefined;
  const movesPods = featureEnabled('MutableSchedulingDirectivesForSuspendedJobs') ? isAtRest : isUnstarted;
  const kept = movesPods ? withPlacementOf(old.template, template) : old.template;
  if (!isAtRest || !featureEnabled('MutablePodResourcesForSuspendedJobs'))
    return immutable(template, kept, 'spec.template', 'core.PodTemplateSpec');
  const sized = withResourcesOf(kept.spec, template.spec);
  return immutable(template.spec, sized, 'spec.template.spec', 'core.PodSpec');
}

/** @returns the specification with the resources of another's containers, where these are the same ones */
function withResourcesOf(spec: PodSpec | undefined, other: PodSpec | undefined): PodSpec | undefined {
  if (spec === undefined || other === undefined) return spec;
  const sized = (list: 'containers' | 'initContainers') => {
    const [before, now] = [spec[list], other[list] ?? []];
    if (before === undefined || before.length !== now.length) return before;
    return before.map((container, index) => {
      const { name, resources } = now[index]!;
      return container.name === name ? present({ ...container, resources }) : container;
    });
  };
  return present({ ...spec, containers: sized('containers'), initContainers: sized('initContainers') }) as PodSpec;
}

/** KEP-2926: where pods run may be decided until the first of them starts. @returns the template with another's placement */
function withPlacementOf(template: PodTemplateSpec, { metadata, spec }: PodTemplateSpec): PodTemplateSpec {
  const { labels, annotations } = metadata ?? {};
  const { nodeSelector, affinity, tolerations, schedulingGates } = spec ?? {};
  const { nodeAffinity: _, ...others } = template.spec?.affinity ?? {};
  const kept = { ...others, ...(affinity?.nodeAffinity === undefined ? {} : { nodeAffinity: affinity.nodeAffinity }) };
  const hasAffinity = affinity !== undefined || Object.keys(kept).length > 0;
  return present({
    metadata: present({ ...template.metadata, labels, annotations }),
    spec: present({
      ...template.spec,
      nodeSelector,
      tolerations,
      schedulingGates,
      affinity: hasAffinity ? kept : undefined,
    }),
  }) as PodTemplateSpec;
}

/** Without the fields that have no value. */
function present(object: object): object {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

export function validateCronJob(cronJob: batch.CronJob): FieldError[] {
  const { name = '' } = cronJob.metadata;
  const errors = validateCronJobUpdate(cronJob);
  if (name.length <= maximumCronJobName) return errors;
  return [...errors, fieldError.invalid('metadata.name', name, 'must be no more than 52 characters')];
}

/** What was good once stays so: names that were allowed to be longer, and time zones that the schedule named. */
export function validateCronJobUpdate({ spec }: batch.CronJob, old?: batch.CronJob): FieldError[] {
  const { timeZone } = spec;
  const job = spec.jobTemplate.spec;
  return [
    ...validateSchedule(spec, old?.spec.schedule.includes('TZ') === true),
    ...nonNegative(spec.startingDeadlineSeconds, 'spec.startingDeadlineSeconds'),
    ...(old !== undefined && timeZone === old.spec.timeZone ? [] : validateTimeZone(timeZone)),
    ...validateConcurrency(spec.concurrencyPolicy),
    ...validateJobSpec(job ?? { template: {} }, 'spec.jobTemplate.spec'),
    ...(job === undefined ? [] : validateGenerated(job)),
    ...nonNegative(spec.successfulJobsHistoryLimit, 'spec.successfulJobsHistoryLimit'),
    ...nonNegative(spec.failedJobsHistoryLimit, 'spec.failedJobsHistoryLimit'),
  ];
}

function validateConcurrency(policy: string | undefined): FieldError[] {
  return requiredOneOf(policy, ['Allow', 'Forbid', 'Replace'], 'spec.concurrencyPolicy');
}

function validateSchedule({ schedule = '', timeZone }: batch.CronJobSpec, hadZone: boolean): FieldError[] {
  const path = 'spec.schedule';
  if (schedule === '') return [fieldError.required(path)];
  const problem = scheduleProblem(schedule.replace(/^(TZ|CRON_TZ)=\S* */, ''));
  const errors = problem === undefined ? [] : [fieldError.invalid(path, schedule, problem)];
  if (!schedule.includes('TZ') || (hadZone && timeZone === undefined)) return errors;
  const detail = hadZone
    ? 'cannot use both timeZone field and TZ or CRON_TZ in schedule'
    : 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead';
  return [...errors, fieldError.invalid(path, schedule, detail)];
}

/** What jobs that are made after a template get by themselves. */
function validateGenerated({ selector, manualSelector }: batch.JobSpec): FieldError[] {
  const path = 'spec.jobTemplate.spec';
  const shown = goStruct('v1.LabelSelector', selector);
  return [
    ...(selector === undefined
      ? []
      : [fieldError.invalid(`${path}.selector`, shown, '`selector` will be auto-generated')]),
    ...(manualSelector === true
      ? [fieldError.notSupportedInOrder(`${path}.manualSelector`, true, ['nil', 'false'])]
      : []),
  ];
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
