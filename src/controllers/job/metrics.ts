import type { Clock } from '#base/clock.ts';
import { exponentialBounds, type Metrics } from '#base/metrics.ts';
import type { Job, JobStatus } from '#kinds/generated/types/batch_v1.ts';
import type { Account } from './accounting.ts';
import { parseIndexes } from './indexes.ts';
import { isIndexed } from './pod.ts';

/** What a turn did about a Job's pods, as upstream calls it. */
export type SyncAction = 'tracking' | 'pods_created' | 'pods_deleted';

/** Upstream's bounds, in seconds. */
const syncBounds = exponentialBounds(0.004, 2, 15);

/** `job_controller_*`, under upstream's names. */
export class JobMetrics {
  readonly #clock: Clock;
  readonly #syncs;
  readonly #syncSeconds;
  readonly #finished;
  readonly #pods;
  readonly #indexes;
  readonly #created;

  constructor(metrics: Metrics, clock: Clock) {
    this.#clock = clock;
    this.#syncs = metrics.counter('job_controller_job_syncs_total', 'Turns of Jobs.');
    this.#syncSeconds = metrics.histogram(
      'job_controller_job_sync_duration_seconds',
      'How long turns of Jobs took.',
      syncBounds,
    );
    this.#finished = metrics.counter('job_controller_jobs_finished_total', 'Jobs that ended, and how.');
    this.#pods = metrics.counter('job_controller_job_pods_finished_total', 'Pods of Jobs that ended and were counted.');
    this.#indexes = metrics.counter('job_controller_job_finished_indexes_total', 'Indexes of Jobs that ended.');
    this.#created = metrics.counter('job_controller_job_pods_creation_total', 'Pods made for Jobs, and why.');
  }

  /** Measures a turn, whose result says what it did. */
  async sync<T extends { readonly action: SyncAction }>(job: Job, work: () => Promise<T>): Promise<T> {
    const sinceMs = this.#clock.monotonic();
    let labels = { completion_mode: modeOf(job), result: 'error', action: 'reconciling' };
    try {
      const result = await work();
      labels = { ...labels, result: 'success', action: result.action };
      return result;
    } finally {
      this.#syncs.add(labels);
      this.#syncSeconds.observe(labels, (this.#clock.monotonic() - sinceMs) / 1000);
    }
  }

  /** A status was written: what is in the books now and was not before has ended. */
  accounted(job: Job, status: JobStatus): void {
    const completion_mode = modeOf(job);
    const { succeeded = 0, failed = 0 } = job.status ?? {};
    this.#ended(completion_mode, 'failed', (status.failed ?? 0) - failed);
    if (!isIndexed(job)) return this.#ended(completion_mode, 'succeeded', (status.succeeded ?? 0) - succeeded);
    const backoffLimit = job.spec.backoffLimitPerIndex === undefined ? 'global' : 'perIndex';
    const grown = (field: 'completedIndexes' | 'failedIndexes'): number =>
      status[field] === job.status?.[field] ? 0 : sizeOf(status[field]) - sizeOf(job.status?.[field]);
    const [completed, lost] = [grown('completedIndexes'), grown('failedIndexes')];
    this.#ended(completion_mode, 'succeeded', completed);
    if (completed > 0) this.#indexes.add({ status: 'succeeded', backoffLimit }, completed);
    if (lost > 0) this.#indexes.add({ status: 'failed', backoffLimit }, lost);
  }

  #ended(completion_mode: string, result: 'succeeded' | 'failed', count: number): void {
    if (count > 0) this.#pods.add({ completion_mode, result }, count);
  }

  jobEnded(job: Job, result: 'succeeded' | 'failed', reason: string): void {
    this.#finished.add({ completion_mode: modeOf(job), result, reason });
  }

  /** Pods were made, or could not be. */
  podsCreated(
    job: Job,
    { failed, terminating }: Account,
    counts: Readonly<Record<'succeeded' | 'failed', number>>,
  ): void {
    const replaces = failed > 0 || terminating.length > 0 ? 'recreate_terminating_or_failed' : 'new';
    const reason = job.spec.podReplacementPolicy === 'Failed' && failed > 0 ? 'recreate_failed' : replaces;
    for (const status of ['succeeded', 'failed'] as const)
      if (counts[status] > 0) this.#created.add({ reason, status }, counts[status]);
  }
}

function sizeOf(indexes: string | undefined): number {
  return parseIndexes(indexes).size;
}

function modeOf({ spec }: Job): string {
  return spec.completionMode ?? 'NonIndexed';
}
