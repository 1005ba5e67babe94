import { type HistogramReading, type MetricLabels, Metrics } from '#base/metrics.ts';
import type { ProbeOutcome, ProbeTarget } from './prober.ts';

/** Seconds: Prometheus' own bounds, which upstream uses here. */
const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

const resultNames = { success: 'successful', failure: 'failed', error: 'unknown' } as const;

interface ProbeCounts {
  readonly labels: MetricLabels;
  readonly podUid: string;
  readonly results: Map<ProbeOutcome['result'], number>;
  readonly buckets: number[];
  sum: number;
  count: number;
}

/** `prober_*`: what probes came to, by container; forgotten with the pod. */
export class ProbeMetrics {
  readonly #pods = new Map<string, Map<string, ProbeCounts>>();
  readonly #page = new Metrics();

  constructor() {
    this.#page.count('prober_probe_total', 'Probes by their result.', () => this.#totals());
    this.#page.histograms('prober_probe_duration_seconds', 'How long probes took.', bounds, () => this.#durations());
  }

  /** A probe has run. @param type as upstream's label: `Readiness`. */
  ran({ pod, container }: ProbeTarget, type: string, result: ProbeOutcome['result'], seconds: number): void {
    const { name = '', namespace = '', uid = '' } = pod.metadata;
    const containers = this.#pods.get(uid) ?? new Map<string, ProbeCounts>();
    this.#pods.set(uid, containers);
    const key = `${container.name} ${type}`;
    let counts = containers.get(key);
    if (counts === undefined) {
      const labels = { probe_type: type, container: container.name, pod: name, namespace };
      counts = { labels, podUid: uid, results: new Map(), buckets: bounds.map(() => 0), sum: 0, count: 0 };
      containers.set(key, counts);
    }
    counts.results.set(result, (counts.results.get(result) ?? 0) + 1);
    // As upstream: how soon a probe fails says nothing.
    if (result === 'failure') return;
    counts.sum += seconds;
    counts.count++;
    const bucket = bounds.findIndex((bound) => seconds <= bound);
    if (bucket >= 0) counts.buckets[bucket]!++;
  }

  forget(podUid: string): void {
    this.#pods.delete(podUid);
  }

  render(): string {
    return this.#page.render();
  }

  *#all(): Generator<ProbeCounts> {
    for (const containers of this.#pods.values()) yield* containers.values();
  }

  *#totals(): Generator<readonly [MetricLabels, number]> {
    for (const { labels, podUid, results } of this.#all())
      for (const [result, count] of results) yield [{ ...labels, pod_uid: podUid, result: resultNames[result] }, count];
  }

  *#durations(): Generator<readonly [MetricLabels, HistogramReading]> {
    for (const counts of this.#all()) yield [counts.labels, counts];
  }
}
