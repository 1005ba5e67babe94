import { isPodTerminating } from '#kinds/core/pod/state.ts';
import type { Job, JobStatus } from '#kinds/generated/types/batch_v1.ts';
import type { Pod } from '#kinds/generated/types/core_v1.ts';
import { failureAction } from './failure-policy.ts';
import { formatIndexes, parseIndexes } from './indexes.ts';
import { completionIndexOf, isIndexed, trackingFinalizer } from './pod.ts';

/** A Job's pods told apart, and what they add up to so far. */
export interface Account {
  readonly active: readonly Pod[];
  readonly terminating: readonly Pod[];
  /** Finished pods that still hold the finalizer: in the books, to be released. */
  readonly toRelease: readonly Pod[];
  readonly succeeded: number;
  readonly failed: number;
  readonly succeededIndexes: ReadonlySet<number>;
  readonly failedIndexes: ReadonlySet<number>;
  readonly uncounted: { readonly succeeded: readonly string[]; readonly failed: readonly string[] };
  /** Why the failure policy ends the whole Job, if it does. */
  readonly fatal: string | undefined;
  readonly newFailures: readonly Pod[];
  /** Every pod that has failed and is still there. */
  readonly failedPods: readonly Pod[];
}

/**
 * Counts each finished pod exactly once, over restarts and lost events: a pod keeps a finalizer until its end is noted
 * by uid in the status; it is counted for good only after it has lost the finalizer, when nobody can see it end again.
 */
export function accountFor(job: Job, pods: readonly Pod[]): Account {
  const old: JobStatus = job.status ?? {};
  const holding = new Set(pods.filter(isTracked).map(({ metadata }) => metadata.uid ?? ''));
  const settle = (uids: readonly string[] | undefined) => {
    const waiting = (uids ?? []).filter((uid) => holding.has(uid));
    return { waiting, settled: (uids ?? []).length - waiting.length };
  };
  const succeeded = settle(old.uncountedTerminatedPods?.succeeded);
  const failed = settle(old.uncountedTerminatedPods?.failed);
  const known = new Set([...succeeded.waiting, ...failed.waiting]);
  const books = {
    succeeded: [...succeeded.waiting],
    failed: [...failed.waiting],
    succeededIndexes: new Set(parseIndexes(old.completedIndexes)),
    failedIndexes: new Set(parseIndexes(old.failedIndexes)),
    newFailures: [] as Pod[],
    fatal: undefined as string | undefined,
  };
  for (const pod of pods.filter(isTracked)) {
    const uid = pod.metadata.uid ?? '';
    if (known.has(uid)) continue;
    if (pod.status?.phase === 'Succeeded') noteSuccess(job, pod, uid, books);
    else if (hasFailed(job, pod)) noteFailure(job, pod, uid, books);
  }
  const ended = (pod: Pod) => pod.status?.phase === 'Succeeded' || hasFailed(job, pod);
  return {
    active: pods.filter((pod) => !isEnded(pod) && !isPodTerminating(pod)),
    terminating: pods.filter((pod) => !isEnded(pod) && isPodTerminating(pod)),
    toRelease: pods.filter((pod) => isTracked(pod) && ended(pod)),
    succeeded: isIndexed(job) ? books.succeededIndexes.size : (old.succeeded ?? 0) + succeeded.settled,
    failed: (old.failed ?? 0) + failed.settled,
    succeededIndexes: books.succeededIndexes,
    failedIndexes: books.failedIndexes,
    uncounted: { succeeded: isIndexed(job) ? [] : books.succeeded, failed: books.failed },
    fatal: books.fatal,
    newFailures: books.newFailures,
    failedPods: pods.filter((pod) => hasFailed(job, pod)),
  };
}

/** Everything that has succeeded, settled or not. */
export function totalSucceeded({ succeeded, uncounted }: Account): number {
  return succeeded + uncounted.succeeded.length;
}

export function totalFailed({ failed, uncounted }: Account): number {
  return failed + uncounted.failed.length;
}

interface Books {
  readonly succeeded: string[];
  readonly failed: string[];
  readonly succeededIndexes: Set<number>;
  readonly failedIndexes: Set<number>;
  readonly newFailures: Pod[];
  fatal: string | undefined;
}

function noteSuccess(job: Job, pod: Pod, uid: string, books: Books): void {
  if (!isIndexed(job)) {
    books.succeeded.push(uid);
    return;
  }
  const index = completionIndexOf(pod);
  if (index !== undefined && index < (job.spec.completions ?? 0)) books.succeededIndexes.add(index);
}

function noteFailure(job: Job, pod: Pod, uid: string, books: Books): void {
  const { action, message } = failureAction(job, pod);
  if (action === 'Ignore') return;
  books.failed.push(uid);
  books.newFailures.push(pod);
  if (action === 'FailJob') books.fatal ??= message;
  const index = completionIndexOf(pod);
  const limit = job.spec.backoffLimitPerIndex;
  if (limit === undefined || index === undefined) return;
  if (action === 'FailIndex' || indexFailures(pod) >= limit) books.failedIndexes.add(index);
}

/** How often the pod's index had failed before it. */
export function indexFailures(pod: Pod): number {
  return Number(pod.metadata.annotations?.[indexFailureAnnotation] ?? 0);
}

export const indexFailureAnnotation = 'batch.kubernetes.io/job-index-failure-count';

function isTracked(pod: Pod): boolean {
  return (pod.metadata.finalizers ?? []).includes(trackingFinalizer);
}

function isEnded(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** A pod that is being deleted has failed, unless the Job waits for it to end by itself. */
function hasFailed(job: Job, pod: Pod): boolean {
  if (pod.status?.phase === 'Failed') return true;
  const waits = job.spec.podReplacementPolicy === 'Failed' || job.spec.podFailurePolicy !== undefined;
  return isPodTerminating(pod) && pod.status?.phase !== 'Succeeded' && !waits;
}

/** The counts as they stand in the status. */
export function accountStatus(job: Job, account: Account, ready: number): JobStatus {
  const { succeeded, failed } = account.uncounted;
  const counted = (name: 'active' | 'succeeded' | 'failed', count: number) => (count === 0 ? {} : { [name]: count });
  const { startTime, conditions, completionTime } = job.status ?? {};
  return {
    ...(startTime === undefined ? {} : { startTime }),
    ...(completionTime === undefined ? {} : { completionTime }),
    ...(conditions === undefined ? {} : { conditions }),
    ...counted('active', account.active.length),
    ready,
    terminating: account.terminating.length,
    ...counted('succeeded', account.succeeded),
    ...counted('failed', account.failed),
    ...(isIndexed(job) && account.succeededIndexes.size > 0
      ? { completedIndexes: formatIndexes(account.succeededIndexes) }
      : {}),
    ...(job.spec.backoffLimitPerIndex === undefined ? {} : { failedIndexes: formatIndexes(account.failedIndexes) }),
    uncountedTerminatedPods: {
      ...(succeeded.length === 0 ? {} : { succeeded }),
      ...(failed.length === 0 ? {} : { failed }),
    },
  };
}
