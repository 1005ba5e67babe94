import { age, containerCells, name, selectorCell } from '#kinds/cells.ts';
import type * as batch from '#kinds/generated/types/batch_v1.ts';
import type { Cell } from '#kinds/kind.ts';
import { ageOf, formatAge, parseTime } from '#machinery/time.ts';

export function cronJobCells(cronJob: batch.CronJob, now: number): readonly Cell[] {
  const { spec, status } = cronJob;
  const template = spec.jobTemplate.spec;
  return [
    name(cronJob),
    spec.schedule,
    spec.timeZone ?? '<none>',
    spec.suspend === undefined ? '<unset>' : spec.suspend ? 'True' : 'False',
    (status?.active ?? []).length,
    status?.lastScheduleTime === undefined ? '<none>' : ageOf(status.lastScheduleTime, now),
    age(cronJob, now),
    ...containerCells(template?.template.spec?.containers),
    selectorCell(template?.selector),
  ];
}

export function jobCells(job: batch.Job, now: number): readonly Cell[] {
  return [
    name(job),
    jobStatus(job),
    completions(job),
    jobDuration(job, now),
    age(job, now),
    ...containerCells(job.spec.template.spec?.containers),
    selectorCell(job.spec.selector),
  ];
}

function jobStatus(job: batch.Job): string {
  const has = (condition: string): boolean =>
    job.status?.conditions?.some(({ type, status }) => type === condition && status === 'True') === true;
  if (has('Complete')) return 'Complete';
  if (has('Failed')) return 'Failed';
  if (job.metadata.deletionTimestamp !== undefined) return 'Terminating';
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(has) ?? 'Running';
}

function completions({ spec, status }: batch.Job): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec.completions !== undefined) return `${succeeded}/${spec.completions}`;
  const parallelism = spec.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function jobDuration({ status }: batch.Job, now: number): string {
  if (status?.startTime === undefined) return '';
  const end = status.completionTime === undefined ? now : parseTime(status.completionTime);
  return formatAge(end - parseTime(status.startTime));
}
