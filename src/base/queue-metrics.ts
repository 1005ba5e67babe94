import type { Clock } from './clock.ts';
import type { QueueObserver } from './keyed-queue.ts';
import type { Metrics } from './metrics.ts';

/** Upstream's bounds, in seconds. */
const bounds = Array.from({ length: 10 }, (_, index) => Number(`1e${index - 8}`));

/** What dashboards show of work queues, under upstream's names. */
class QueueMetrics {
  readonly #adds;
  readonly #retries;
  readonly #waits;
  readonly #work;
  readonly #depths = new Map<string, () => number>();
  readonly #inWork = new Map<string, Map<string, number>>();
  readonly #clock: Clock;

  constructor(metrics: Metrics, clock: Clock) {
    this.#clock = clock;
    this.#adds = metrics.counter('workqueue_adds_total', 'Keys added to a queue.');
    this.#retries = metrics.counter('workqueue_retries_total', 'Keys added again after a failure.');
    this.#waits = metrics.histogram('workqueue_queue_duration_seconds', 'How long keys wait for a worker.', bounds);
    this.#work = metrics.histogram('workqueue_work_duration_seconds', 'How long the work at a key takes.', bounds);
    metrics.gauge('workqueue_depth', 'Keys that are ready and not yet taken.', () =>
      [...this.#depths].map(([name, depth]) => [{ name }, depth()] as const),
    );
    metrics.gauge('workqueue_unfinished_work_seconds', 'How long the keys in work have been so, in sum.', () =>
      [...this.#inWork].map(([name, keys]) => [{ name }, this.#ages(keys).reduce((sum, age) => sum + age, 0)] as const),
    );
    metrics.gauge('workqueue_longest_running_processor_seconds', 'How long the oldest key has been in work.', () =>
      [...this.#inWork].map(([name, keys]) => [{ name }, Math.max(0, ...this.#ages(keys))] as const),
    );
  }

  #ages(keys: ReadonlyMap<string, number>): readonly number[] {
    const nowMs = this.#clock.monotonic();
    return [...keys.values()].map((sinceMs) => (nowMs - sinceMs) / 1000);
  }

  observerOf(name: string, depth: () => number): QueueObserver {
    const labels = { name };
    const [adds, retries] = [this.#adds.series(labels), this.#retries.series(labels)];
    const [waits, work] = [this.#waits.series(labels), this.#work.series(labels)];
    const waiting = new Map<string, number>();
    const inWork = new Map<string, number>();
    this.#depths.set(name, depth);
    this.#inWork.set(name, inWork);
    return {
      added: (key) => {
        adds(1);
        if (!waiting.has(key)) waiting.set(key, this.#clock.monotonic());
      },
      retried: () => retries(1),
      taken: (key) => {
        const nowMs = this.#clock.monotonic();
        waits((nowMs - (waiting.get(key) ?? nowMs)) / 1000);
        waiting.delete(key);
        inWork.set(key, nowMs);
      },
      done: (key) => {
        const nowMs = this.#clock.monotonic();
        work((nowMs - (inWork.get(key) ?? nowMs)) / 1000);
        inWork.delete(key);
      },
    };
  }
}

const known = new WeakMap<Metrics, QueueMetrics>();

/** Observes a queue for these metrics; queues of one name are told apart by nobody, the last one's depth is shown. */
export function queueObserver(
  { metrics, clock }: { readonly metrics: Metrics; readonly clock: Clock },
  name: string,
  depth: () => number,
): QueueObserver {
  const all = known.get(metrics) ?? new QueueMetrics(metrics, clock);
  known.set(metrics, all);
  return all.observerOf(name, depth);
}
