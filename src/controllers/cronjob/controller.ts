import { exponentialBounds, type Series } from '#base/metrics.ts';
import {
  type ControllerContext,
  defineController,
  done,
  type ReconcileResult,
  retryAfter,
  type Turn,
} from '#client/controller.ts';
import { isNamespaceTerminating, messageOf } from '#client/failures.ts';
import type { Informer } from '#client/informer.ts';
import { byControllerUid } from '#client/object-cache.ts';
import { keyFor, keyOf, refTo } from '#client/object-key.ts';
import { CronJob as CronJobKind, Job as JobKind } from '#kinds/generated/handles.ts';
import type { CronJob, CronJobStatus, Job } from '#kinds/generated/types/batch_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import { isReason } from '#machinery/errors.ts';
import { formatTime, parseTime } from '#machinery/time.ts';
import { controllerNameOf, controllerReference } from '../shared/owners.ts';
import { parseSchedule, type Schedule } from './schedule.ts';

/** More missed times than this mean that something is wrong with the clock or the schedule; only said, not acted on. */
const manyMissed = 100;
const scheduledTimeAnnotation = 'batch.kubernetes.io/cronjob-scheduled-timestamp';

/** Makes Jobs on a schedule. */
export const cronJob = defineController({
  name: 'cronjob-controller',
  workers: 5,
  setup(context) {
    const cronJobs = new CronJobs(context);
    return (key, turn) => cronJobs.reconcile(key, turn);
  },
});

class CronJobs {
  readonly #context: ControllerContext;
  readonly #cronJobs: Informer<CronJob>;
  readonly #jobs: Informer<Job>;
  /** Seconds between when a Job was to be made and when it was. */
  readonly #skew: Series;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#skew = context.metrics
      .histogram(
        'cronjob_controller_job_creation_skew_duration_seconds',
        'How long after their time Jobs of CronJobs were made.',
        exponentialBounds(1, 2, 10),
      )
      .series({});
    this.#cronJobs = context.watch(CronJobKind, (cronJob) => [keyOf(cronJob)]);
    this.#jobs = context.watch(JobKind, (job) => {
      const name = controllerNameOf(job, CronJobKind);
      return name === undefined ? [] : [keyFor(job.metadata.namespace, name)];
    });
    this.#jobs.index('controllerUid', byControllerUid);
  }

  async reconcile(key: string, turn: Turn): Promise<ReconcileResult> {
    const cronJob = this.#cronJobs.getByKey(key);
    if (cronJob === undefined) return done;
    const nowMs = this.#context.environment.clock.now();
    const jobs = this.#jobs.index('controllerUid', byControllerUid).get(cronJob.metadata.uid ?? '');
    await this.#trimHistory(cronJob, jobs, turn);
    let status = this.#observed(cronJob, jobs);
    let result: ReconcileResult = done;
    if (cronJob.metadata.deletionTimestamp === undefined && cronJob.spec.suspend !== true) {
      const schedule = this.#scheduleOf(cronJob);
      if (schedule !== undefined) {
        status = await this.#startIfDue(cronJob, status, schedule, turn);
        const nextMs = schedule.next(nowMs);
        if (nextMs !== undefined) result = retryAfter(nextMs - nowMs);
      }
    }
    if (!equalValues(status, cronJob.status ?? {})) {
      await turn.client.updateStatus(CronJobKind, { ...cronJob, status }, { signal: turn.signal });
    }
    return result;
  }

  #scheduleOf(cronJob: CronJob): Schedule | undefined {
    try {
      return parseSchedule(cronJob.spec.schedule, cronJob.spec.timeZone);
    } catch (error) {
      const message = `unparseable schedule: ${cronJob.spec.schedule} : ${messageOf(error)}`;
      this.#context.events.record(CronJobKind, cronJob, { type: 'Warning', reason: 'UnparseableSchedule', message });
      return undefined;
    }
  }

  async #startIfDue(cronJob: CronJob, status: CronJobStatus, schedule: Schedule, turn: Turn): Promise<CronJobStatus> {
    const nowMs = this.#context.environment.clock.now();
    const due = lastDue(cronJob, schedule, nowMs);
    if (due.missed > manyMissed) {
      const message = `too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew`;
      this.#context.events.record(CronJobKind, cronJob, { type: 'Warning', reason: 'TooManyMissedTimes', message });
    }
    if (due.atMs === undefined) return status;
    const deadline = cronJob.spec.startingDeadlineSeconds;
    if (deadline !== undefined && due.atMs + deadline * 1000 < nowMs) {
      const message = `Missed scheduled time to start a job: ${formatTime(due.atMs)}`;
      this.#context.events.record(CronJobKind, cronJob, { type: 'Warning', reason: 'MissSchedule', message });
      return status;
    }
    const active = status.active ?? [];
    if (cronJob.spec.concurrencyPolicy === 'Forbid' && active.length > 0) {
      const message = 'Not starting job because prior execution is running and concurrency policy is Forbid';
      this.#context.events.record(CronJobKind, cronJob, { type: 'Normal', reason: 'JobAlreadyActive', message });
      return status;
    }
    if (cronJob.spec.concurrencyPolicy === 'Replace') {
      for (const { name = '', namespace } of active) await this.#deleteJob(cronJob, { name, namespace }, turn);
    }
    const job = await this.#create(cronJob, due.atMs, turn);
    if (job === undefined) return status;
    const kept = cronJob.spec.concurrencyPolicy === 'Replace' ? [] : active;
    return { ...status, active: [...kept, referenceTo(job)], lastScheduleTime: formatTime(due.atMs) };
  }

  async #create(cronJob: CronJob, atMs: number, { client, signal }: Turn): Promise<Job | undefined> {
    const { metadata = {}, spec } = cronJob.spec.jobTemplate;
    const job: Job = {
      metadata: {
        ...(metadata.labels === undefined ? {} : { labels: metadata.labels }),
        annotations: { ...metadata.annotations, [scheduledTimeAnnotation]: formatTime(atMs) },
        // The name is the time, in minutes: a second attempt for one time meets the first.
        name: `${cronJob.metadata.name}-${Math.floor(atMs / 60_000)}`,
        namespace: cronJob.metadata.namespace ?? '',
        ownerReferences: [controllerReference(CronJobKind, cronJob)],
      },
      spec: spec ?? { template: {} },
    };
    try {
      const created = await client.create(JobKind, job, { signal });
      this.#skew((parseTime(created.metadata.creationTimestamp ?? '') - atMs) / 1000);
      const message = `Created job ${created.metadata.name}`;
      this.#context.events.record(CronJobKind, cronJob, { type: 'Normal', reason: 'SuccessfulCreate', message });
      return created;
    } catch (error) {
      if (isNamespaceTerminating(error)) return undefined;
      if (isReason(error, 'AlreadyExists')) return await client.get(JobKind, refTo(job), { signal });
      const message = `Error creating job: ${messageOf(error)}`;
      this.#context.events.record(CronJobKind, cronJob, { type: 'Warning', reason: 'FailedCreate', message });
      throw error;
    }
  }

  /** Which Jobs run, and when the last one succeeded. */
  #observed(cronJob: CronJob, jobs: readonly Job[]): CronJobStatus {
    const known = new Set((cronJob.status?.active ?? []).map(({ uid }) => uid));
    for (const job of jobs) {
      if (!known.has(job.metadata.uid) || !isFinished(job)) continue;
      const how = condition(job, 'Complete') ? 'Complete' : 'Failed';
      const message = `Saw completed job: ${job.metadata.name}, condition: ${how}`;
      this.#context.events.record(CronJobKind, cronJob, { type: 'Normal', reason: 'SawCompletedJob', message });
    }
    const active = jobs.filter((job) => !isFinished(job)).map(referenceTo);
    const times = jobs.filter((job) => condition(job, 'Complete')).map(({ status }) => status?.completionTime ?? '');
    const lastSuccess = [cronJob.status?.lastSuccessfulTime ?? '', ...times].sort().at(-1) ?? '';
    const { lastScheduleTime } = cronJob.status ?? {};
    return {
      ...(active.length === 0 ? {} : { active }),
      ...(lastScheduleTime === undefined ? {} : { lastScheduleTime }),
      ...(lastSuccess === '' ? {} : { lastSuccessfulTime: lastSuccess }),
    };
  }

  async #trimHistory(cronJob: CronJob, jobs: readonly Job[], turn: Turn): Promise<void> {
    const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = cronJob.spec;
    const startMs = ({ status, metadata }: Job) => parseTime(status?.startTime ?? metadata.creationTimestamp ?? '');
    for (const [type, limit] of [
      ['Complete', successfulJobsHistoryLimit],
      ['Failed', failedJobsHistoryLimit],
    ] as const) {
      if (limit === undefined) continue;
      const ended = jobs.filter((job) => condition(job, type)).sort((left, right) => startMs(left) - startMs(right));
      for (const job of ended.slice(0, Math.max(0, ended.length - limit)))
        await this.#deleteJob(cronJob, refTo(job), turn);
    }
  }

  async #deleteJob(
    cronJob: CronJob,
    ref: { readonly name: string; readonly namespace?: string | undefined },
    { client, signal }: Turn,
  ): Promise<void> {
    try {
      await client.delete(JobKind, ref, { propagationPolicy: 'Background', signal });
    } catch (error) {
      if (isReason(error, 'NotFound')) return;
      throw error;
    }
    const message = `Deleted job ${ref.name}`;
    this.#context.events.record(CronJobKind, cronJob, { type: 'Normal', reason: 'SuccessfulDelete', message });
  }
}

/** The latest time that has passed and for which no Job was made, and how many there were. */
function lastDue(
  cronJob: CronJob,
  schedule: Schedule,
  nowMs: number,
): { readonly atMs: number | undefined; readonly missed: number } {
  const { lastScheduleTime } = cronJob.status ?? {};
  const { startingDeadlineSeconds } = cronJob.spec;
  const sinceMs = parseTime(lastScheduleTime ?? cronJob.metadata.creationTimestamp ?? '');
  const earliestMs =
    startingDeadlineSeconds === undefined ? sinceMs : Math.max(sinceMs, nowMs - startingDeadlineSeconds * 1000);
  let atMs: number | undefined;
  let missed = 0;
  for (let next = schedule.next(earliestMs); next !== undefined && next <= nowMs; next = schedule.next(next)) {
    atMs = next;
    missed++;
    if (missed <= manyMissed) continue;
    // Years may have passed: look from close behind instead of walking through them.
    const step = next - (schedule.next(earliestMs) ?? next);
    const jumped = nowMs - Math.max(step / missed, 60_000) * 2;
    if (jumped > next) next = jumped;
  }
  return { atMs, missed };
}

function condition(job: Job, type: string): boolean {
  return (job.status?.conditions ?? []).some((entry) => entry.type === type && entry.status === 'True');
}

function isFinished(job: Job): boolean {
  return condition(job, 'Complete') || condition(job, 'Failed');
}

function referenceTo({ metadata }: Job) {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
  };
}
