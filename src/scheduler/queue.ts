import { type BackoffOptions, backoffDelayMs } from '#base/backoff.ts';
import type { Clock, Timer } from '#base/clock.ts';
import { Heap } from '#base/heap.ts';
import type { Pod } from '#kinds/generated/types/core_v1.ts';
import { equalValues } from '#machinery/equality.ts';
import type { ClusterEvent, SchedulerPlugin } from './framework.ts';
import { type PodInfo, podInfo } from './pod-info.ts';

/** How long a pod that did not fit waits at least before it is tried again. */
const podBackoff: BackoffOptions = { initialMs: 1_000, maximumMs: 10_000 };
/** A pod that no event woke is tried again after this long: a guard against a hint that is too strict. */
const longestUnschedulableMs = 5 * 60_000;

/** A pod on its way to a node. */
export interface QueuedPod {
  info: PodInfo;
  /** When it first came, then when it last came back; earlier goes first among equals. */
  sinceMs: number;
  /** When it could first be tried. */
  firstMs: number | undefined;
  attempts: number;
  /** Plugins that rejected it in the last attempt. */
  rejectedBy: ReadonlySet<SchedulerPlugin>;
  /** When it may be tried again. */
  backoffUntilMs: number;
  place: 'active' | 'backoff' | 'unschedulable' | 'gated' | 'inWork';
  readonly order: number;
  timer: Timer | undefined;
}

/** Why a pod comes into a place of the queue. */
export type Arrival =
  | ClusterEvent['type']
  | 'PodAdd'
  | 'PodUpdate'
  | 'BackoffComplete'
  | 'ScheduleAttemptFailure'
  | 'UnschedulableTimeout';

/** Is told where pods go in the queue. */
export interface QueueObserver {
  readonly entered: (queue: QueuedPod['place'], why: Arrival) => void;
}

/**
 * Pods waiting for a node: active ones in order of priority, those that failed until their backoff is over, and those
 * that wait for something to change.
 */
export class SchedulingQueue {
  readonly #clock: Clock;
  readonly #onActive: () => void;
  readonly #byUid = new Map<string, QueuedPod>();
  readonly #active = new Heap<QueuedPod>(goesBefore);
  readonly #observer: QueueObserver | undefined;
  #order = 0;

  /** @param onActive called whenever a pod becomes active. */
  constructor(clock: Clock, onActive: () => void, observer?: QueueObserver) {
    this.#clock = clock;
    this.#onActive = onActive;
    this.#observer = observer;
  }

  /** All of them, in whatever place. */
  all(): Iterable<QueuedPod> {
    return this.#byUid.values();
  }

  /** Pods that wait, in whatever place. */
  get size(): number {
    return this.#byUid.size;
  }

  get activeCount(): number {
    return this.#active.size;
  }

  add(pod: Pod): void {
    const info = podInfo(pod);
    if (this.#byUid.has(info.uid)) {
      this.update(pod);
      return;
    }
    const queued: QueuedPod = {
      info,
      sinceMs: this.#clock.now(),
      firstMs: undefined,
      attempts: 0,
      rejectedBy: new Set(),
      backoffUntilMs: 0,
      place: 'gated',
      order: this.#order++,
      timer: undefined,
    };
    this.#byUid.set(info.uid, queued);
    if (isGated(pod)) this.#observer?.entered('gated', 'PodAdd');
    else this.#activate(queued, 'PodAdd');
  }

  /** A change of what the scheduler looks at makes the pod worth another attempt. */
  update(pod: Pod): void {
    const queued = this.#byUid.get(pod.metadata.uid ?? '');
    if (queued === undefined) {
      this.add(pod);
      return;
    }
    const old = queued.info.pod;
    queued.info = podInfo(pod);
    const concerns = !equalValues(old.spec, pod.spec) || !equalValues(old.metadata.labels, pod.metadata.labels);
    if (!concerns || isGated(pod)) return;
    if (queued.place === 'gated' || queued.place === 'unschedulable') this.#awaken(queued, 'PodUpdate');
  }

  /** Takes the pod out for good: it was bound, or is gone. */
  remove(uid: string): void {
    const queued = this.#byUid.get(uid);
    if (queued === undefined) return;
    this.#byUid.delete(uid);
    queued.timer?.cancel();
    if (queued.place === 'active') this.#active.remove(queued);
  }

  get(uid: string): QueuedPod | undefined {
    return this.#byUid.get(uid);
  }

  /** The next pod to place; it stays known, in work, until it is removed or parked. */
  pop(): QueuedPod | undefined {
    const queued = this.#active.pop();
    if (queued === undefined) return undefined;
    queued.place = 'inWork';
    queued.attempts++;
    return queued;
  }

  /** Back after an attempt found no node: waits for an event that concerns one of the plugins that rejected it. */
  park(queued: QueuedPod, rejectedBy: ReadonlySet<SchedulerPlugin>): void {
    if (this.#byUid.get(queued.info.uid) !== queued) return;
    const now = this.#clock.now();
    queued.rejectedBy = rejectedBy;
    queued.sinceMs = now;
    queued.backoffUntilMs = now + backoffDelayMs(podBackoff, queued.attempts);
    queued.place = 'unschedulable';
    queued.timer = this.#clock.schedule(longestUnschedulableMs, () => this.#awaken(queued, 'UnschedulableTimeout'));
    this.#observer?.entered('unschedulable', 'ScheduleAttemptFailure');
  }

  /** Back after something failed that has nothing to do with the pod: tried again as soon as its backoff is over. */
  retry(queued: QueuedPod): void {
    if (this.#byUid.get(queued.info.uid) !== queued) return;
    queued.sinceMs = this.#clock.now();
    queued.backoffUntilMs = this.#clock.now() + backoffDelayMs(podBackoff, queued.attempts);
    this.#awaken(queued, 'ScheduleAttemptFailure');
  }

  /** Wakes the pods that the event may have made schedulable. */
  wake(event: ClusterEvent): void {
    for (const queued of this.#byUid.values()) {
      if (queued.place !== 'unschedulable') continue;
      for (const plugin of queued.rejectedBy) {
        if (plugin.wakes?.(event, queued.info) !== true) continue;
        this.#awaken(queued, event.type);
        break;
      }
    }
  }

  close(): void {
    for (const queued of this.#byUid.values()) queued.timer?.cancel();
    this.#byUid.clear();
  }

  #awaken(queued: QueuedPod, why: Arrival): void {
    queued.timer?.cancel();
    queued.timer = undefined;
    const waitMs = queued.backoffUntilMs - this.#clock.now();
    if (waitMs <= 0) {
      this.#activate(queued, why);
      return;
    }
    queued.place = 'backoff';
    queued.timer = this.#clock.schedule(waitMs, () => this.#activate(queued, 'BackoffComplete'));
    this.#observer?.entered('backoff', why);
  }

  #activate(queued: QueuedPod, why: Arrival): void {
    queued.timer = undefined;
    queued.place = 'active';
    queued.firstMs ??= this.#clock.now();
    this.#active.push(queued);
    this.#observer?.entered('active', why);
    this.#onActive();
  }
}

function isGated(pod: Pod): boolean {
  return (pod.spec?.schedulingGates ?? []).length > 0;
}

function goesBefore(left: QueuedPod, right: QueuedPod): boolean {
  if (left.info.priority !== right.info.priority) return left.info.priority > right.info.priority;
  if (left.sinceMs !== right.sinceMs) return left.sinceMs < right.sinceMs;
  return left.order < right.order;
}
