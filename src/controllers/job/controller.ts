import { type BackoffOptions, backoffDelayMs } from '#base/backoff.ts';
import {
  type ControllerContext,
  defineController,
  done,
  type ReconcileResult,
  retryAfter,
  type Turn,
} from '#client/controller.ts';
import { isNamespaceTerminating } from '#client/failures.ts';
import type { Informer } from '#client/informer.ts';
import { byControllerUid, byNamespace } from '#client/object-cache.ts';
import { keyFor, keyOf, refTo } from '#client/object-key.ts';
import { isPodReady } from '#kinds/core/pod/state.ts';
import { Job as JobKind, Pod as PodKind } from '#kinds/generated/handles.ts';
import type { Job, JobStatus } from '#kinds/generated/types/batch_v1.ts';
import type { Pod } from '#kinds/generated/types/core_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import { isReason } from '#machinery/errors.ts';
import { formatTime } from '#machinery/time.ts';
import { claim } from '../shared/claim.ts';
import { labelMatch } from '../shared/match.ts';
import { controllerNameOf, controllerOf } from '../shared/owners.ts';
import { orphanNamespace, ownersOf } from '../shared/pod-owners.ts';
import { createPod, deletePod } from '../shared/pods.ts';
import { slowStart } from '../shared/slow-start.ts';
import {
  type Account,
  accountFor,
  accountStatus,
  indexFailureAnnotation,
  indexFailures,
  totalSucceeded,
} from './accounting.ts';
import { JobMetrics, type SyncAction } from './metrics.ts';
import { completionIndexOf, isIndexed, jobPod, trackingFinalizer } from './pod.ts';
import { findCondition, untilDeadlineMs, type Verdict, verdictFor, withCondition } from './verdict.ts';

/** Pods created or deleted in one turn. */
const burstPods = 500;
/** How long a Job waits before it replaces failed pods. */
const podFailureBackoff: BackoffOptions = { initialMs: 10_000, maximumMs: 600_000 };
/** A Job with another value in `managedBy` belongs to another controller. */
const ownManager = 'kubernetes.io/job-controller';

/** Runs pods to completion. */
export const job = defineController({
  name: 'job-controller',
  workers: 5,
  setup(context) {
    const jobs = new Jobs(context);
    return (key, turn) => jobs.reconcile(key, turn);
  },
});

class Jobs {
  readonly #context: ControllerContext;
  readonly #jobs: Informer<Job>;
  readonly #pods: Informer<Pod>;
  readonly #metrics: JobMetrics;
  /** Failures in a row by the Job's uid, and when the last was seen; forgotten with the Job. */
  readonly #failures = new Map<string, { readonly count: number; readonly atMs: number }>();

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#metrics = new JobMetrics(context.metrics, context.environment.clock);
    this.#jobs = context.watch(JobKind, (object, { type }) => {
      if (type === 'deleted') this.#failures.delete(object.metadata.uid ?? '');
      return [keyOf(object)];
    });
    this.#jobs.index('namespace', byNamespace);
    this.#pods = context.watch(PodKind, (pod, event) => [
      ...ownersOf(JobKind, this.#jobs, pod, event),
      ...jobHolding(pod),
    ]);
    this.#pods.index('heldBy', jobHolding);
    this.#pods.index('controllerUid', byControllerUid);
    this.#pods.index('orphanNamespace', orphanNamespace);
  }

  async reconcile(key: string, turn: Turn): Promise<ReconcileResult> {
    const cached = this.#jobs.getByKey(key);
    // Pods of a Job that is gone would keep their finalizer, and so their place, forever.
    const left = this.#pods.index('heldBy', jobHolding).get(key);
    await this.#release(
      left.filter((pod) => controllerOf(pod)?.uid !== cached?.metadata.uid),
      turn,
    );
    if (cached === undefined || (cached.spec.managedBy ?? ownManager) !== ownManager) return done;
    const pods = await this.#claimPods(cached, turn);
    const isOver = findCondition(cached.status, 'Complete') ?? findCondition(cached.status, 'Failed');
    if (isOver !== undefined || cached.metadata.deletionTimestamp !== undefined) {
      await this.#release(pods, turn);
      return done;
    }
    const { waitMs } = await this.#metrics.sync(cached, () => this.#sync(cached, pods, turn));
    return waitMs === undefined ? done : retryAfter(waitMs);
  }

  /** Takes a Job that goes on a step further. @returns when to look again. */
  async #sync(
    cached: Job,
    pods: readonly Pod[],
    turn: Turn,
  ): Promise<{ readonly action: SyncAction; readonly waitMs?: number }> {
    const { clock } = this.#context.environment;
    const current = this.#withStart(cached, clock.now());
    const account = accountFor(current, pods);
    this.#noteFailures(current, account, clock.now());
    const verdict = verdictFor(current, account, clock.now());
    const moved = await this.#movePods(current, account, verdict, turn);
    const status = this.#statusFor(current, { ...account, active: moved.active }, verdict, clock.now());
    if (!equalValues(status, cached.status)) {
      await turn.client.updateStatus(JobKind, { ...cached, status }, { signal: turn.signal });
      this.#metrics.accounted(cached, status);
      this.#announce(cached, status);
    }
    // Only after their end is in the books may the pods go.
    await this.#release(account.toRelease, turn);
    if (moved.failure !== undefined && !isNamespaceTerminating(moved.failure)) throw moved.failure;
    const waits = [moved.waitMs, untilDeadlineMs(current, clock.now())].filter((ms) => ms !== undefined && ms > 0);
    const { action } = moved;
    return waits.length === 0 ? { action } : { action, waitMs: Math.min(...(waits as number[])) };
  }

  /** A Job starts when it is first seen running; suspending resets the time. */
  #withStart(job: Job, nowMs: number): Job {
    if (job.status?.startTime !== undefined || job.spec.suspend === true) return job;
    return { ...job, status: { ...job.status, startTime: formatTime(nowMs) } };
  }

  #noteFailures(job: Job, { newFailures, uncounted }: Account, nowMs: number): void {
    const uid = job.metadata.uid ?? '';
    if (uncounted.succeeded.length > 0 && newFailures.length === 0) this.#failures.delete(uid);
    if (newFailures.length === 0) return;
    const count = (this.#failures.get(uid)?.count ?? 0) + newFailures.length;
    this.#failures.set(uid, { count, atMs: nowMs });
  }

  /** Creates and deletes pods towards what the Job wants to be active. */
  async #movePods(
    job: Job,
    account: Account,
    verdict: Verdict | undefined,
    turn: Turn,
  ): Promise<{
    readonly active: readonly Pod[];
    readonly action: SyncAction;
    readonly failure?: unknown;
    readonly waitMs?: number;
  }> {
    const { active, terminating } = account;
    const write = { ...turn, events: this.#context.events, kind: JobKind, owner: job };
    const wanted = verdict !== undefined || job.spec.suspend === true ? 0 : wantedActive(job, account);
    const surplus = surplusPods(job, account, wanted);
    if (surplus.length > 0) {
      await Promise.all(surplus.slice(0, burstPods).map((pod) => deletePod(write, pod)));
      return { active: active.filter((pod) => !surplus.includes(pod)), action: 'pods_deleted' };
    }
    const occupied = job.spec.podReplacementPolicy === 'Failed' ? terminating.length : 0;
    const missing = wanted - active.length - occupied;
    if (missing <= 0) return { active, action: 'tracking' };
    const waitMs = this.#backoffMs(job);
    if (waitMs > 0) return { active, action: 'pods_created', waitMs };
    const created: Pod[] = [];
    const indexes = isIndexed(job) ? freeIndexes(job, account, missing) : undefined;
    const count = Math.min(burstPods, indexes?.length ?? missing);
    const { successes, failures, failure } = await slowStart(count, async (position) => {
      const index = indexes?.[position];
      const before = this.#lastFailureOf(job, index, account);
      const counted: Record<string, string> = {};
      if (job.spec.backoffLimitPerIndex !== undefined) counted[indexFailureAnnotation] = String(before);
      created.push(await createPod(write, jobPod(job, index, counted)));
    });
    this.#metrics.podsCreated(job, account, { succeeded: successes, failed: failures });
    return { active: [...active, ...created], action: 'pods_created', failure };
  }

  #lastFailureOf(job: Job, index: number | undefined, { failedPods }: Account): number {
    if (index === undefined || job.spec.backoffLimitPerIndex === undefined) return 0;
    const failed = failedPods.filter((pod) => completionIndexOf(pod) === index);
    return failed.reduce((most, pod) => Math.max(most, indexFailures(pod) + 1), 0);
  }

  #backoffMs(job: Job): number {
    const failures = this.#failures.get(job.metadata.uid ?? '');
    if (failures === undefined) return 0;
    const readyMs = failures.atMs + backoffDelayMs(podFailureBackoff, failures.count);
    return Math.max(0, readyMs - this.#context.environment.clock.now());
  }

  #statusFor(job: Job, account: Account, verdict: Verdict | undefined, nowMs: number): JobStatus {
    const status = accountStatus(job, account, account.active.filter(isPodReady).length);
    let conditions = status.conditions;
    if (verdict !== undefined) {
      const { type, reason, message } = verdict;
      const target = type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget';
      conditions = withCondition(conditions, { type: target, status: 'True', reason, message }, nowMs);
      const isSettled = account.uncounted.succeeded.length + account.uncounted.failed.length === 0;
      if (isSettled && account.active.length + account.terminating.length === 0 && account.toRelease.length === 0) {
        conditions = withCondition(conditions, { type, status: 'True', reason, message }, nowMs);
        return { ...status, conditions, ...(type === 'Complete' ? { completionTime: formatTime(nowMs) } : {}) };
      }
      return { ...status, conditions };
    }
    const suspended = findCondition(job.status, 'Suspended') !== undefined;
    if (job.spec.suspend === true && !suspended) {
      const note = { type: 'Suspended', status: 'True', reason: 'JobSuspended', message: 'Job suspended' };
      const { startTime: _, ...stopped } = status;
      return { ...stopped, conditions: withCondition(conditions, note, nowMs) };
    }
    if (job.spec.suspend !== true && suspended) {
      const note = { type: 'Suspended', status: 'False', reason: 'JobResumed', message: 'Job resumed' };
      conditions = withCondition(conditions, note, nowMs);
      return { ...status, conditions, startTime: formatTime(nowMs) };
    }
    return conditions === undefined ? status : { ...status, conditions };
  }

  #announce(before: Job, after: JobStatus): void {
    const say = (type: 'Normal' | 'Warning', reason: string, message: string) =>
      this.#context.events.record(JobKind, before, { type, reason, message });
    const isNew = (type: string) =>
      findCondition(after, type) !== undefined && findCondition(before.status, type) === undefined;
    const complete = findCondition(after, 'Complete');
    if (complete !== undefined && isNew('Complete')) {
      say('Normal', 'Completed', 'Job completed');
      this.#metrics.jobEnded(before, 'succeeded', complete.reason ?? '');
    }
    const failed = findCondition(after, 'Failed');
    if (failed !== undefined && isNew('Failed')) {
      say('Warning', failed.reason ?? '', failed.message ?? '');
      this.#metrics.jobEnded(before, 'failed', failed.reason ?? '');
    }
    if (isNew('Suspended')) say('Normal', 'Suspended', 'Job suspended');
    const resumed =
      findCondition(before.status, 'Suspended') !== undefined && findCondition(after, 'Suspended') === undefined;
    if (resumed) say('Normal', 'Resumed', 'Job resumed');
  }

  async #release(pods: readonly Pod[], { client, signal }: Turn): Promise<void> {
    const held = pods.filter(({ metadata }) => (metadata.finalizers ?? []).includes(trackingFinalizer));
    await Promise.all(
      held.map(async (pod) => {
        const finalizers = (pod.metadata.finalizers ?? []).filter((finalizer) => finalizer !== trackingFinalizer);
        const body = { metadata: { uid: pod.metadata.uid, resourceVersion: pod.metadata.resourceVersion, finalizers } };
        try {
          await client.patch(PodKind, refTo(pod), { type: 'merge', body }, { signal });
        } catch (error) {
          if (!isReason(error, 'NotFound')) throw error;
        }
      }),
    );
  }

  async #claimPods(job: Job, turn: Turn): Promise<readonly Pod[]> {
    const controlled = this.#pods.index('controllerUid', byControllerUid).get(job.metadata.uid ?? '');
    const orphans = this.#pods.index('orphanNamespace', orphanNamespace).get(job.metadata.namespace ?? '');
    const matches = labelMatch(job.spec.selector);
    const candidates = [...controlled, ...orphans];
    return await claim({ ...turn, ownerKind: JobKind, owner: job, itemKind: PodKind, candidates, matches });
  }
}

/** The Job that a pod waits for before it may go, by name: the Job itself may be gone. */
function jobHolding(pod: Pod): readonly string[] {
  if (!(pod.metadata.finalizers ?? []).includes(trackingFinalizer)) return [];
  // A pod that was let go by its Job is nobody's any more: its label still says whose turn may free it.
  const released = pod.metadata.labels?.['batch.kubernetes.io/job-name'] ?? pod.metadata.name ?? '';
  const name = controllerOf(pod) === undefined ? released : controllerNameOf(pod, JobKind);
  return name === undefined ? [] : [keyFor(pod.metadata.namespace, name)];
}

/** How many pods should be running now. */
function wantedActive(job: Job, account: Account): number {
  const { parallelism = 1, completions } = job.spec;
  const succeeded = totalSucceeded(account);
  // Without a number of completions, the first success means that the others finish and no more are started.
  if (completions === undefined) return succeeded > 0 ? account.active.length : parallelism;
  const left = completions - succeeded - (isIndexed(job) ? account.failedIndexes.size : 0);
  return Math.min(parallelism, Math.max(0, left));
}

/** Pods too many: those without work first, then the ones that have not got far. */
function surplusPods(job: Job, { active, succeededIndexes, failedIndexes }: Account, wanted: number): readonly Pod[] {
  const useless: Pod[] = [];
  const useful: Pod[] = [];
  const taken = new Set<number>();
  for (const pod of active) {
    const index = isIndexed(job) ? completionIndexOf(pod) : undefined;
    const isDouble =
      index !== undefined && (taken.has(index) || succeededIndexes.has(index) || failedIndexes.has(index));
    const isOutside = isIndexed(job) && (index === undefined || index >= (job.spec.completions ?? 0));
    if (index !== undefined) taken.add(index);
    (isDouble || isOutside ? useless : useful).push(pod);
  }
  const rank = (pod: Pod) => (isPodReady(pod) ? 2 : pod.status?.phase === 'Running' ? 1 : 0);
  useful.sort((left, right) => rank(left) - rank(right));
  return [...useless, ...useful.slice(0, Math.max(0, useful.length - wanted))];
}

/** The lowest indexes that nobody works on. */
function freeIndexes(job: Job, account: Account, count: number): readonly number[] {
  const busy = new Set([...account.active, ...account.terminating].map(completionIndexOf));
  const free: number[] = [];
  for (let index = 0; index < (job.spec.completions ?? 0) && free.length < count; index++) {
    if (!busy.has(index) && !account.succeededIndexes.has(index) && !account.failedIndexes.has(index)) free.push(index);
  }
  return free;
}
