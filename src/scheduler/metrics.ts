import type { Clock } from '#base/clock.ts';
import { exponentialBounds, type Metrics, type Series } from '#base/metrics.ts';
import type { SchedulerCache } from './cache.ts';
import type { ClusterEvent } from './framework.ts';
import { PhaseMetrics, remembered } from './phases.ts';
import type { Arrival, QueuedPod, QueueObserver, SchedulingQueue } from './queue.ts';

/** What became of an attempt to place a pod, as upstream calls it. */
export type AttemptResult = 'scheduled' | 'unschedulable' | 'error';

/** Upstream's bounds, in seconds, and in numbers. */
const bounds = {
  attempt: exponentialBounds(0.001, 2, 15),
  pod: exponentialBounds(0.01, 2, 20),
  attempts: exponentialBounds(1, 2, 5),
  victims: exponentialBounds(1, 2, 7),
} as const;

/** From so many attempts on, pods are not told apart by their number. */
const manyAttempts = 15;

const places = ['active', 'backoff', 'unschedulable', 'gated'] as const;

/** What made a pod worth another attempt, as upstream names it. */
const eventNames: Readonly<Record<ClusterEvent['type'], string>> = {
  nodeAdded: 'NodeAdd',
  nodeUpdated: 'NodeUpdate',
  podAssigned: 'AssignedPodAdd',
  assignedPodUpdated: 'AssignedPodUpdate',
  assignedPodRemoved: 'AssignedPodDelete',
  volumesChanged: 'PersistentVolumeClaimUpdate',
};

/** `scheduler_*`: what dashboards show of a scheduler, under upstream's names. */
export class SchedulerMetrics implements QueueObserver {
  readonly phases: PhaseMetrics;
  readonly #clock: Clock;
  readonly #results: Readonly<Record<AttemptResult, { readonly count: Series; readonly seconds: Series }>>;
  readonly #algorithm: Series;
  readonly #podSeconds: (attempts: string) => Series;
  readonly #podAttempts: Series;
  readonly #preemptions: Series;
  readonly #victims: Series;
  readonly #incoming: (queue: string, event: string) => Series;

  constructor(metrics: Metrics, { clock, profile }: { readonly clock: Clock; readonly profile: string }) {
    this.#clock = clock;
    this.phases = new PhaseMetrics(metrics, { clock, profile });
    const counts = metrics.counter('scheduler_schedule_attempts_total', 'Attempts to place a pod.');
    const seconds = metrics.histogram(
      'scheduler_scheduling_attempt_duration_seconds',
      'How long those took, with the binding.',
      bounds.attempt,
    );
    const of = (result: AttemptResult) => ({
      count: counts.series({ profile, result }),
      seconds: seconds.series({ profile, result }),
    });
    this.#results = { scheduled: of('scheduled'), unschedulable: of('unschedulable'), error: of('error') };
    this.#algorithm = metrics
      .histogram('scheduler_scheduling_algorithm_duration_seconds', 'How long finding a node took.', bounds.attempt)
      .series({});
    const pods = metrics.histogram(
      'scheduler_pod_scheduling_sli_duration_seconds',
      'From when a pod could first be tried until it was bound.',
      bounds.pod,
    );
    this.#podSeconds = remembered((attempts) => pods.series({ attempts }));
    this.#podAttempts = metrics
      .histogram('scheduler_pod_scheduling_attempts', 'Attempts that a bound pod took.', bounds.attempts)
      .series({});
    this.#preemptions = metrics
      .counter('scheduler_preemption_attempts_total', 'Attempts to make room by preemption.')
      .series({});
    this.#victims = metrics
      .histogram('scheduler_preemption_victims', 'Pods that had to go for another.', bounds.victims)
      .series({});
    const incoming = metrics.counter('scheduler_queue_incoming_pods_total', 'Pods that came into a queue, and why.');
    this.#incoming = remembered((queue, event) => incoming.series({ queue, event }));
  }

  /** Pods that wait are counted when somebody asks. */
  static describeQueue(metrics: Metrics, queue: SchedulingQueue, profile: string): void {
    metrics.gauge('scheduler_pending_pods', 'Pods that wait, by why.', () => {
      const waiting = new Map<string, number>(places.map((place) => [place, 0]));
      for (const { place } of queue.all()) waiting.set(place, (waiting.get(place) ?? 0) + 1);
      return places.map((place) => [{ queue: place }, waiting.get(place)!] as const);
    });
    metrics.gauge('scheduler_unschedulable_pods', 'Pods that a plugin keeps from being placed.', () => {
      const kept = new Map<string, number>();
      for (const { place, rejectedBy } of queue.all())
        if (place === 'unschedulable') for (const { name } of rejectedBy) kept.set(name, (kept.get(name) ?? 0) + 1);
      return [...kept].map(([plugin, count]) => [{ plugin, profile }, count] as const);
    });
  }

  /** What the scheduler knows is counted when somebody asks. */
  static describeCache(metrics: Metrics, cache: SchedulerCache): void {
    metrics.gauge('scheduler_cache_size', 'Nodes and pods with a node that the scheduler knows.', () => [
      [{ type: 'nodes' }, cache.nodes.length],
      [{ type: 'pods' }, cache.podCount],
    ]);
  }

  found(sinceMs: number): void {
    this.#algorithm((this.#clock.monotonic() - sinceMs) / 1000);
  }

  attempted(result: AttemptResult, sinceMs: number): void {
    const { count, seconds } = this.#results[result];
    count(1);
    seconds((this.#clock.monotonic() - sinceMs) / 1000);
  }

  bound({ attempts, firstMs }: QueuedPod): void {
    const label = attempts > manyAttempts ? `${manyAttempts}+` : String(attempts);
    this.#podSeconds(label)((this.#clock.now() - (firstMs ?? this.#clock.now())) / 1000);
    this.#podAttempts(attempts);
  }

  preempting(victims: number): void {
    this.#preemptions(1);
    if (victims > 0) this.#victims(victims);
  }

  entered(queue: QueuedPod['place'], why: Arrival): void {
    this.#incoming(queue, Object.hasOwn(eventNames, why) ? eventNames[why as ClusterEvent['type']] : why)(1);
  }
}
