import type { CronJob, Job, JobSpec } from '#kinds/generated/types/batch_v1.ts';
import { formatAge, formatDuration, parseTime } from '#machinery/time.ts';
import { describePodTemplate } from '../pod-template.ts';
import { type DescribeOptions, describeEvents } from '../related.ts';
import { controlledBy, head, labelSelectorText, longTime, type Sheet } from '../sheet.ts';

export async function describeJob(sheet: Sheet, job: Job, options: DescribeOptions): Promise<void> {
  const { metadata, spec, status = {} } = job;
  sheet.field('Name', metadata.name ?? '');
  sheet.field('Namespace', metadata.namespace ?? '');
  if (spec?.selector !== undefined) sheet.field('Selector', labelSelectorText(spec.selector));
  sheet.labels('Labels', metadata.labels);
  sheet.annotations(metadata.annotations);
  controlledBy(sheet, metadata);
  describeCounts(sheet, spec);
  if (spec?.completionMode !== undefined) sheet.field('Completion Mode', spec.completionMode);
  if (spec?.suspend !== undefined) sheet.field('Suspend', spec.suspend);
  if (spec?.backoffLimit !== undefined) sheet.field('Backoff Limit', spec.backoffLimit);
  if (spec?.ttlSecondsAfterFinished !== undefined)
    sheet.field('TTL Seconds After Finished', spec.ttlSecondsAfterFinished);
  const { startTime, completionTime } = status;
  if (startTime !== undefined) sheet.field('Start Time', longTime(startTime));
  if (completionTime !== undefined) sheet.field('Completed At', longTime(completionTime));
  if (startTime !== undefined && completionTime !== undefined) {
    sheet.field('Duration', formatAge(parseTime(completionTime) - parseTime(startTime)));
  }
  if (spec?.activeDeadlineSeconds !== undefined)
    sheet.field('Active Deadline Seconds', `${spec.activeDeadlineSeconds}s`);
  const ready = status.ready === undefined ? '' : ` (${status.ready} Ready)`;
  sheet.field(
    'Pods Statuses',
    `${status.active ?? 0} Active${ready} / ${status.succeeded ?? 0} Succeeded / ${status.failed ?? 0} Failed`,
  );
  if (spec?.completionMode === 'Indexed')
    sheet.field('Completed Indexes', (status.completedIndexes ?? '') === '' ? '<none>' : status.completedIndexes!);
  describePodTemplate(sheet, spec?.template);
  await describeEvents(sheet, options, { metadata });
}

function describeCounts(sheet: Sheet, spec: JobSpec | undefined): void {
  sheet.field('Parallelism', spec?.parallelism ?? '<unset>');
  sheet.field('Completions', spec?.completions ?? '<unset>');
}

export async function describeCronJob(sheet: Sheet, cronJob: CronJob, options: DescribeOptions): Promise<void> {
  const { metadata, spec, status = {} } = cronJob;
  head(sheet, metadata);
  sheet.field('Schedule', spec?.schedule ?? '');
  sheet.field('Concurrency Policy', spec?.concurrencyPolicy ?? '');
  sheet.field('Suspend', spec?.suspend === undefined ? '<unset>' : spec.suspend ? 'True' : 'False');
  sheet.field('Time Zone', spec?.timeZone ?? '<unset>');
  sheet.field('Successful Job History Limit', spec?.successfulJobsHistoryLimit ?? '<unset>');
  sheet.field('Failed Job History Limit', spec?.failedJobsHistoryLimit ?? '<unset>');
  sheet.field(
    'Starting Deadline Seconds',
    spec?.startingDeadlineSeconds === undefined ? '<unset>' : `${spec.startingDeadlineSeconds}s`,
  );
  const job = spec?.jobTemplate?.spec;
  sheet.field('Selector', labelSelectorText(job?.selector));
  describeCounts(sheet, job);
  if (job?.activeDeadlineSeconds !== undefined)
    sheet.field('Active Deadline Seconds', formatDuration(job.activeDeadlineSeconds * 1000));
  describePodTemplate(sheet, job?.template);
  sheet.field(
    'Last Schedule Time',
    status.lastScheduleTime === undefined ? '<unset>' : longTime(status.lastScheduleTime),
  );
  const active = status.active ?? [];
  sheet.field('Active Jobs', active.length === 0 ? '<none>' : active.map(({ name }) => name ?? '').join(', '));
  await describeEvents(sheet, options, { metadata });
}
