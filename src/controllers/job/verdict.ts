import type { Job, JobCondition, JobStatus } from '#kinds/generated/types/batch_v1.ts';
import type { Pod } from '#kinds/generated/types/core_v1.ts';
import { formatTime, parseTime } from '#machinery/time.ts';
import { type Account, totalFailed, totalSucceeded } from './accounting.ts';
import { parseIndexes } from './indexes.ts';
import { isIndexed } from './pod.ts';

/** How a Job ends. */
export interface Verdict {
  readonly type: 'Complete' | 'Failed';
  readonly reason: string;
  readonly message: string;
}

export function findCondition(status: JobStatus | undefined, type: string): JobCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type && condition.status === 'True');
}

/** Adds the condition, or changes it when its status does. */
export function withCondition(
  conditions: readonly JobCondition[] | undefined,
  note: { readonly type: string; readonly status: string; readonly reason: string; readonly message: string },
  nowMs: number,
): readonly JobCondition[] {
  const current = conditions?.find(({ type }) => type === note.type);
  if (current?.status === note.status && current.reason === note.reason) return conditions ?? [];
  const now = formatTime(nowMs);
  return [
    ...(conditions ?? []).filter(({ type }) => type !== note.type),
    { ...note, lastProbeTime: now, lastTransitionTime: now },
  ];
}

/** Whether the Job is over, with the verdict noted earlier if there is one. */
export function verdictFor(job: Job, account: Account, nowMs: number): Verdict | undefined {
  const failing = findCondition(job.status, 'FailureTarget');
  if (failing !== undefined) return { type: 'Failed', reason: failing.reason ?? '', message: failing.message ?? '' };
  const succeeding = findCondition(job.status, 'SuccessCriteriaMet');
  if (succeeding !== undefined) {
    return { type: 'Complete', reason: succeeding.reason ?? '', message: succeeding.message ?? '' };
  }
  return failureOf(job, account, nowMs) ?? successOf(job, account);
}

function failureOf(job: Job, account: Account, nowMs: number): Verdict | undefined {
  const { spec } = job;
  const failed = (reason: string, message: string): Verdict => ({ type: 'Failed', reason, message });
  if (account.fatal !== undefined) return failed('PodFailurePolicy', account.fatal);
  const limit = spec.backoffLimit ?? 6;
  const restarts = spec.template.spec?.restartPolicy === 'OnFailure' ? totalRestarts(account.active) : 0;
  const isOver = totalFailed(account) > limit || (restarts > 0 && (limit === 0 || restarts >= limit));
  if (isOver && spec.backoffLimitPerIndex === undefined) {
    return failed('BackoffLimitExceeded', 'Job has reached the specified backoff limit');
  }
  if (untilDeadlineMs(job, nowMs) === 0) {
    return failed('DeadlineExceeded', 'Job was active longer than specified deadline');
  }
  if (spec.backoffLimitPerIndex === undefined) return undefined;
  if (spec.maxFailedIndexes !== undefined && account.failedIndexes.size > spec.maxFailedIndexes) {
    return failed('MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes');
  }
  const settled = account.failedIndexes.size + account.succeededIndexes.size;
  const isDecided = account.failedIndexes.size > 0 && settled >= (spec.completions ?? 0);
  return isDecided ? failed('FailedIndexes', 'Job has failed indexes') : undefined;
}

function successOf(job: Job, account: Account): Verdict | undefined {
  const { completions, successPolicy } = job.spec;
  if (isIndexed(job) && successPolicy !== undefined) {
    const rule = successPolicy.rules.findIndex(({ succeededIndexes, succeededCount }) => {
      const wanted = succeededIndexes === undefined ? undefined : parseIndexes(succeededIndexes);
      const reached = [...account.succeededIndexes].filter((index) => wanted === undefined || wanted.has(index)).length;
      return reached >= (succeededCount ?? wanted?.size ?? Number.POSITIVE_INFINITY);
    });
    const message = `Matched rules at index ${rule}`;
    if (rule >= 0) return { type: 'Complete', reason: 'SuccessPolicy', message };
  }
  const succeeded = totalSucceeded(account);
  const isOver = completions === undefined ? succeeded > 0 && account.active.length === 0 : succeeded >= completions;
  const message = 'Reached expected number of succeeded pods';
  return isOver ? { type: 'Complete', reason: 'CompletionsReached', message } : undefined;
}

/** Milliseconds until the Job has been active for too long; undefined without a limit. */
export function untilDeadlineMs({ spec, status }: Job, nowMs: number): number | undefined {
  if (spec.activeDeadlineSeconds === undefined || status?.startTime === undefined || spec.suspend === true) {
    return undefined;
  }
  return Math.max(0, parseTime(status.startTime) + spec.activeDeadlineSeconds * 1000 - nowMs);
}

function totalRestarts(pods: readonly Pod[]): number {
  return pods
    .flatMap(({ status }) => [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])])
    .reduce((sum, { restartCount }) => sum + restartCount, 0);
}
