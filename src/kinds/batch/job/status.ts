import type * as batch from '#kinds/generated/types/batch_v1.ts';
import { nonNegative } from '#kinds/validation/common.ts';
import { equalValues } from '#machinery/equality.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { commonIndex, indexesProblem } from './indexes.ts';

type Status = Partial<batch.JobStatus>;

/** What changed between two statuses: most rules hold only for what is new, so that old faults block nothing. */
interface Change {
  readonly spec: batch.JobSpec;
  readonly status: Status;
  readonly old: Status;
  /** Whether one of these fields or conditions is another than before. */
  readonly changed: (...names: readonly (keyof Status | ConditionName)[]) => boolean;
}

const conditionNames = ['Complete', 'Failed', 'FailureTarget', 'SuccessCriteriaMet', 'Suspended'] as const;
type ConditionName = (typeof conditionNames)[number];

function has({ conditions }: Status, name: ConditionName, value = 'True'): boolean {
  return conditions?.some(({ type, status }) => type === name && status === value) === true;
}

function isFinished(status: Status): boolean {
  return has(status, 'Complete') || has(status, 'Failed');
}

function isCondition(name: string): name is ConditionName {
  return (conditionNames as readonly string[]).includes(name);
}

export function validateJobStatusUpdate(job: batch.Job, { status: before = {} }: batch.Job): FieldError[] {
  const { spec, status = {} } = job;
  const change: Change = {
    spec,
    status,
    old: before,
    changed: (...names) =>
      names.some((name) =>
        isCondition(name) ? has(status, name) !== has(before, name) : !equalValues(status[name], before[name]),
      ),
  };
  return [
    ...validateCounts(status),
    ...validateConditions(change),
    ...validateFinished(change),
    ...validateIndexes(change),
    ...validateReady(change),
    ...validateCriteria(change),
    ...validateTransition(change),
  ];
}

/** What is wrong with the conditions: their value is not shown. */
function conditionsError(detail: string): FieldError {
  return { type: 'FieldValueInvalid', path: 'status.conditions', message: `Invalid value: ${detail}` };
}

function validateCounts({
  active,
  succeeded,
  failed,
  ready,
  terminating,
  uncountedTerminatedPods,
}: Status): FieldError[] {
  const errors = Object.entries({ active, succeeded, failed, ready, terminating }).flatMap(([field, count]) =>
    nonNegative(count, `status.${field}`),
  );
  const seen = new Set<string>();
  for (const end of ['succeeded', 'failed'] as const)
    for (const [index, uid] of (uncountedTerminatedPods?.[end] ?? []).entries()) {
      const path = `status.uncountedTerminatedPods.${end}[${index}]`;
      if (uid === '') errors.push(fieldError.invalid(path, uid, 'must not be empty'));
      else if (seen.has(uid)) errors.push(fieldError.duplicate(path, uid));
      seen.add(uid);
    }
  return errors;
}

function validateConditions({ status, changed }: Change): FieldError[] {
  const { completionTime, startTime } = status;
  const path = 'status.completionTime';
  const isComplete = has(status, 'Complete');
  const errors: FieldError[] = [];
  if (changed('Complete', 'Failed') && isComplete && has(status, 'Failed'))
    errors.push(conditionsError('cannot set Complete=True and Failed=true conditions'));
  if (changed('Complete', 'FailureTarget') && isComplete && has(status, 'FailureTarget'))
    errors.push(conditionsError('cannot set Complete=True and FailureTarget=true conditions'));
  if (changed('Complete', 'completionTime') && completionTime !== undefined && !isComplete) {
    const detail = 'cannot set completionTime when there is no Complete=True condition';
    errors.push(fieldError.invalid(path, completionTime, detail));
  }
  if (changed('Complete', 'completionTime') && completionTime === undefined && isComplete)
    errors.push(fieldError.required(path, 'completionTime is required for Complete jobs'));
  if (changed('startTime', 'completionTime') && Date.parse(completionTime ?? '') < Date.parse(startTime ?? ''))
    errors.push(fieldError.invalid(path, completionTime, 'must be equal to or after `startTime`'));
  if (changed('Failed', 'failedIndexes') && has(status, 'Failed') && !has(status, 'FailureTarget'))
    errors.push(conditionsError('cannot set Failed=True condition without the FailureTarget=true condition'));
  if (changed('Complete', 'SuccessCriteriaMet') && isComplete && !has(status, 'SuccessCriteriaMet'))
    errors.push(conditionsError('cannot set Complete=True condition without the SuccessCriteriaMet=true condition'));
  return errors;
}

/** A finished job is at rest. */
function validateFinished({ spec, status, old, changed }: Change): FieldError[] {
  if (!isFinished(status)) return [];
  const { active = 0, startTime, uncountedTerminatedPods: uncounted } = status;
  const isNews = !isFinished(old);
  const errors: FieldError[] = [];
  if ((isNews || changed('active')) && active > 0)
    errors.push(fieldError.invalid('status.active', active, 'active>0 is invalid for finished job'));
  const neverStarts = spec.suspend === true && spec.completions === 0;
  if ((isNews || changed('startTime')) && !neverStarts && startTime === undefined)
    errors.push(fieldError.required('status.startTime', 'startTime is required for finished job'));
  const count = (uncounted?.failed ?? []).length + (uncounted?.succeeded ?? []).length;
  if ((isNews || changed('uncountedTerminatedPods')) && count > 0) {
    const shown = { Succeeded: uncounted?.succeeded ?? null, Failed: uncounted?.failed ?? null };
    errors.push(fieldError.invalid('status.uncountedTerminatedPods', shown, 'must be empty for finished job'));
  }
  return errors;
}

function validateIndexes({ spec, status, changed }: Change): FieldError[] {
  const { completions, backoffLimitPerIndex, completionMode } = spec;
  const { completedIndexes = '', failedIndexes } = status;
  const errors: FieldError[] = [];
  const refuse = (field: 'completedIndexes' | 'failedIndexes', value: string, detail: string): void => {
    errors.push(fieldError.invalid(`status.${field}`, value, detail));
  };
  const parse = (field: 'completedIndexes' | 'failedIndexes', value: string): void => {
    const problem = completions === undefined ? undefined : indexesProblem(value, completions);
    if (changed(field) && problem !== undefined) refuse(field, value, `error parsing ${field}: ${problem}`);
  };
  parse('completedIndexes', completedIndexes);
  if (backoffLimitPerIndex !== undefined && failedIndexes !== undefined) parse('failedIndexes', failedIndexes);
  if (changed('completedIndexes') && completedIndexes !== '' && completionMode !== 'Indexed')
    refuse(
      'completedIndexes',
      completedIndexes,
      'cannot set non-empty completedIndexes when non-indexed completion mode',
    );
  if (failedIndexes === undefined) return errors;
  if (changed('failedIndexes') && backoffLimitPerIndex === undefined)
    refuse('failedIndexes', failedIndexes, 'cannot set non-null failedIndexes when backoffLimitPerIndex is null');
  if (!changed('failedIndexes', 'completedIndexes') || completions === undefined) return errors;
  const common = commonIndex(completedIndexes, failedIndexes, completions);
  if (common !== undefined)
    refuse('failedIndexes', failedIndexes, `failedIndexes and completedIndexes overlap at index: ${common}`);
  return errors;
}

function validateReady({ status, old, changed }: Change): FieldError[] {
  const { active = 0, ready, terminating = 0 } = status;
  const errors: FieldError[] = [];
  const isNews = isFinished(status) !== isFinished(old);
  if ((isNews || changed('terminating')) && terminating > 0 && isFinished(status))
    errors.push(fieldError.invalid('status.terminating', terminating, 'terminating>0 is invalid for finished job'));
  if (ready !== undefined && changed('ready', 'active') && ready > active)
    errors.push(fieldError.invalid('status.ready', ready, 'cannot set more ready pods than active'));
  return errors;
}

function validateCriteria({ spec, status }: Change): FieldError[] {
  const isMet = has(status, 'SuccessCriteriaMet');
  const errors: FieldError[] = [];
  if (isMet && has(status, 'Failed'))
    errors.push(conditionsError('cannot set SuccessCriteriaMet=True and Failed=true conditions'));
  if (isMet && has(status, 'FailureTarget'))
    errors.push(conditionsError('cannot set SuccessCriteriaMet=True and FailureTarget=true conditions'));
  if (spec.successPolicy !== undefined && !isMet && has(status, 'Complete'))
    errors.push(conditionsError('cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True'));
  return errors;
}

/** What has been said of a job stays said. */
function validateTransition({ spec, status, old, changed }: Change): FieldError[] {
  const { failed = 0, succeeded = 0, completionTime, startTime } = status;
  const errors = (['Failed', 'Complete', 'FailureTarget'] as const)
    .filter((name) => has(old, name) && !has(status, name))
    .map((name) => conditionsError(`cannot disable the terminal ${name}=True condition`));
  if (failed < (old.failed ?? 0))
    errors.push(fieldError.invalid('status.failed', failed, 'cannot decrease the failed counter'));
  // Elastic jobs may shrink.
  const isElastic = spec.completionMode === 'Indexed' && spec.completions === spec.parallelism;
  if (!isElastic && succeeded < (old.succeeded ?? 0))
    errors.push(fieldError.invalid('status.succeeded', succeeded, 'cannot decrease the succeeded counter'));
  if (completionTime !== undefined && old.completionTime !== undefined && changed('completionTime'))
    errors.push(fieldError.invalid('status.completionTime', completionTime, 'field is immutable'));
  const isResuming = has(old, 'Suspended') && has(status, 'Suspended', 'False');
  if (old.startTime !== undefined && changed('startTime') && !isResuming && spec.suspend !== true)
    errors.push(
      fieldError.invalid('status.startTime', startTime ?? null, 'field is immutable for unsuspended job once set'),
    );
  if (has(old, 'SuccessCriteriaMet') && !has(status, 'SuccessCriteriaMet'))
    errors.push(conditionsError('cannot disable the SuccessCriteriaMet=True condition'));
  if (has(old, 'Complete') && !has(old, 'SuccessCriteriaMet') && has(status, 'SuccessCriteriaMet'))
    errors.push(conditionsError('cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions'));
  return errors;
}
