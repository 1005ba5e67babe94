import type { Timer } from '#base/clock.ts';
import type { Pod, PodStatus } from '#kinds/generated/types/core_v1.ts';
import type { WorkKind } from '../node-metrics.ts';
import type { NodeParts } from '../parts.ts';
import { podText } from '../runtime/names.ts';
import type { PodRuntime } from '../runtime/pod-runtime.ts';
import { isOwned, same } from '../status/status-patch.ts';
import { isFinished } from './phase.ts';
import { type Eviction, PodSync } from './pod-sync.ts';
import { terminalStatus } from './status.ts';

const firstRetryMs = 1_000;
const maxRetryMs = 60_000;
/** Why a step ends early. Made once: an error with its stack for each pod that goes would cost more than the step. */
const interrupted = new Error('something more urgent has come up for the pod');

/**
 * The one place where a pod is worked on, a step at a time: whatever happens only says "look again", and each look
 * starts from the last known spec and from what the runtime has.
 */
export class PodWorker {
  readonly uid: string;
  readonly #parts: NodeParts;
  readonly #sync: PodSync;
  readonly #finished: (worker: PodWorker) => void;
  readonly #stopping = new AbortController();
  readonly #unlink: () => void;
  #pod: Pod;
  #isGone = false;
  #eviction: Eviction | undefined;
  #isTerminated = false;
  #failures = 0;
  #needsStep = false;
  #isRunning = false;
  #timer: Timer | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #step: AbortController | undefined;
  /** What the next step is for. */
  #work: WorkKind = 'create';
  /** When the pod was first seen, while it has not run yet. */
  #seenMs: number | undefined;

  constructor(options: {
    readonly parts: NodeParts;
    readonly pod: Pod;
    /** Nothing of the pod ran before. */
    readonly isNew: boolean;
    readonly signal: AbortSignal;
    readonly finished: (worker: PodWorker) => void;
  }) {
    this.#parts = options.parts;
    this.#pod = options.pod;
    this.uid = options.pod.metadata.uid ?? '';
    this.#finished = options.finished;
    const stop = () => this.#stop(options.signal.reason);
    options.signal.addEventListener('abort', stop, { once: true });
    this.#unlink = () => options.signal.removeEventListener('abort', stop);
    this.#sync = new PodSync(options.parts, this.uid, this.#stopping.signal);
    if (options.isNew) this.#seenMs = options.parts.environment.clock.monotonic();
    options.parts.metrics?.podCame(options.pod);
  }

  get pod(): Pod {
    return this.#pod;
  }

  get runtime(): PodRuntime {
    return this.#sync.runtime;
  }

  /** What is reported of the pod. */
  get status(): PodStatus {
    return this.#parts.statuses.get(this.#pod);
  }

  /**
   * Whether the pod still counts against the node's resources. What the API does not have any more, or knows to be over,
   * does not, though its containers may still stop: the scheduler has given its room away by then.
   */
  get isActive(): boolean {
    const isOver = this.#isTerminated || this.#eviction !== undefined || isFinished(this.status.phase);
    return !isOver && !this.#isGone;
  }

  update(pod: Pod): void {
    const isShorter = pod.metadata.deletionGracePeriodSeconds !== this.#pod.metadata.deletionGracePeriodSeconds;
    const isDeleted = pod.metadata.deletionTimestamp !== undefined;
    const wasDeleted = this.#pod.metadata.deletionTimestamp !== undefined;
    const before = this.#pod;
    this.#pod = pod;
    this.#parts.statuses.observe(pod);
    // A deletion must not wait for a pull or a hook, and a shorter grace period must not wait for the longer one.
    if (isDeleted && (!wasDeleted || isShorter)) this.#step?.abort(interrupted);
    if ((!this.#isTerminated || isDeleted) && changesWork(before, pod)) {
      this.#work = 'update';
      this.wake();
    }
  }

  /** The object is gone from the API: everything else must go as well. */
  removed(): void {
    this.#isGone = true;
    this.#step?.abort(interrupted);
    this.wake();
  }

  /** Stops the pod for good and reports it as Failed. */
  evict(eviction: Eviction): void {
    this.#eviction ??= eviction;
    this.#step?.abort(interrupted);
    this.wake();
  }

  /** A probe's result changed. Readiness is reported even while a long step, such as the termination, goes on. */
  probed(): void {
    if (this.#isRunning && !this.#isTerminated) this.#sync.report(this.#input());
    this.wake();
  }

  /** Something may have changed. */
  wake(): void {
    this.#needsStep = true;
    if (!this.#isRunning && !this.#stopping.signal.aborted) void this.#run();
  }

  #wakeAfter(delayMs: number): void {
    if (!Number.isFinite(delayMs)) return;
    const atMs = this.#parts.environment.clock.monotonic() + delayMs;
    if (atMs >= this.#timerAtMs) return;
    this.#timer?.cancel();
    this.#timerAtMs = atMs;
    this.#timer = this.#parts.environment.clock.schedule(delayMs, () => {
      this.#timerAtMs = Number.POSITIVE_INFINITY;
      this.wake();
    });
  }

  #input() {
    return { pod: this.#pod, isGone: this.#isGone, eviction: this.#eviction };
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#needsStep && !this.#stopping.signal.aborted) {
      this.#needsStep = false;
      this.#step = new AbortController();
      const step = this.#step.signal;
      const signal = AbortSignal.any([this.#stopping.signal, step]);
      try {
        await this.#measured(() => this.#advance(signal));
        this.#failures = 0;
      } catch (error) {
        if (this.#stopping.signal.aborted) break;
        if (step.aborted) this.#needsStep = true;
        else this.#failed(error);
      }
    }
    this.#isRunning = false;
  }

  /** Does one step, and tells how long it took. */
  async #measured(step: () => Promise<void>): Promise<void> {
    const { environment, metrics } = this.#parts;
    if (metrics === undefined) return step();
    const sinceMs = environment.clock.monotonic();
    const work = this.#isTerminated ? 'terminated' : this.#isStopping ? 'kill' : this.#work;
    this.#work = 'sync';
    try {
      await step();
    } finally {
      metrics.worked(work, sinceMs);
    }
    if (this.#seenMs === undefined || this.status.phase !== 'Running') return;
    metrics.podRuns(this.#pod, this.#seenMs);
    this.#seenMs = undefined;
  }

  get #isStopping(): boolean {
    return this.#isGone || this.#eviction !== undefined || this.#pod.metadata.deletionTimestamp !== undefined;
  }

  #failed(error: unknown): void {
    this.#failures++;
    const message = error instanceof Error ? error.message : String(error);
    this.#parts.environment.log.warn('cannot sync pod', { pod: podText(this.#pod), message });
    this.#wakeAfter(Math.min(maxRetryMs, firstRetryMs * 2 ** Math.min(10, this.#failures - 1)));
  }

  async #advance(signal: AbortSignal): Promise<void> {
    if (!this.#isTerminated) {
      const step = await this.#sync.step(this.#input(), signal);
      if (step.outcome === 'evict') this.evict(step.eviction);
      if (step.outcome === 'active') {
        if (step.again) this.#needsStep = true;
        this.#wakeAfter(step.afterMs);
      }
      if (step.outcome !== 'terminated') return;
      this.#isTerminated = true;
      this.#timer?.cancel();
    }
    await this.#afterTermination(signal);
  }

  /** A pod that has ended stays until its object is deleted; then its object and its remains go. */
  async #afterTermination(signal: AbortSignal): Promise<void> {
    const { statuses } = this.#parts;
    if (!this.#isGone) {
      // The DELETED event follows and ends the worker.
      if (this.#pod.metadata.deletionTimestamp !== undefined)
        await statuses.finish(this.#pod, terminalStatus(statuses.get(this.#pod)));
      return;
    }
    await this.#sync.remove(signal);
    this.#stop();
    this.#unlink();
    this.#finished(this);
  }

  #stop(reason?: unknown): void {
    this.#timer?.cancel();
    this.#stopping.abort(reason);
  }
}

/** Whether an update asks for anything: most of them are the kubelet's own statuses coming back. */
function changesWork(before: Pod, after: Pod): boolean {
  const { metadata: old } = before;
  const { metadata } = after;
  return (
    metadata.generation === undefined ||
    old.generation !== metadata.generation ||
    old.deletionTimestamp !== metadata.deletionTimestamp ||
    old.deletionGracePeriodSeconds !== metadata.deletionGracePeriodSeconds ||
    !same(old.labels, metadata.labels) ||
    !same(old.annotations, metadata.annotations) ||
    !same(before.spec.ephemeralContainers, after.spec.ephemeralContainers) ||
    !same(foreignConditions(before), foreignConditions(after)) ||
    (before.status?.phase !== after.status?.phase && /^(Failed|Succeeded)$/.test(after.status?.phase ?? ''))
  );
}

/** Readiness gates wait for conditions that others set. */
function foreignConditions(pod: Pod): unknown {
  return pod.spec.readinessGates === undefined
    ? undefined
    : pod.status?.conditions?.filter((condition) => !isOwned(condition));
}
