import type { Clock } from '#base/clock.ts';
import { exponentialBounds, type Metrics, type Series } from '#base/metrics.ts';
import type { EndpointSlice } from '#kinds/generated/types/discovery_v1.ts';
import { parseTime } from '#machinery/time.ts';

const triggerTimeAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time';

/** Seconds: upstream's bounds, as fine as a minute and as far as five. */
const syncBounds = exponentialBounds(0.001, 2, 15);
const programmingBounds = [
  0.25,
  0.5,
  ...Array.from({ length: 59 }, (_, index) => 1 + index),
  ...Array.from({ length: 12 }, (_, index) => 60 + 5 * index),
  ...Array.from({ length: 7 }, (_, index) => 120 + 30 * index),
];
const labels = { ip_family: 'IPv4' } as const;

/** `kubeproxy_*`: how changes of services come into force, under upstream's names. */
export class RoutingMetrics {
  readonly #clock: Clock;
  readonly #syncs: Readonly<Record<'all' | 'full' | 'partial', Series>>;
  readonly #failures: Series;
  readonly #programming: Series;
  readonly #changes = { service: 0, endpoint: 0 };
  readonly #pending = { service: 0, endpoint: 0 };
  /** When what came since the last time had happened, milliseconds since 1970. */
  #triggers: number[] = [];
  #queuedMs = 0;
  #syncedMs = 0;

  constructor(metrics: Metrics, clock: Clock) {
    this.#clock = clock;
    const seconds = (name: string, help: string): Series =>
      metrics.histogram(`kubeproxy_${name}_duration_seconds`, help, syncBounds).series(labels);
    this.#syncs = {
      all: seconds('sync_proxy_rules', 'How long it took to bring the rules up to date.'),
      full: seconds('sync_full_proxy_rules', 'Of those, when all were made anew.'),
      partial: seconds('sync_partial_proxy_rules', 'Of those, when only what had changed was.'),
    };
    this.#failures = metrics
      .counter('kubeproxy_sync_proxy_rules_nftables_sync_failures_total', 'Times that this failed.')
      .series(labels);
    this.#programming = metrics
      .histogram(
        'kubeproxy_network_programming_duration_seconds',
        'From when endpoints changed until traffic went to them.',
        programmingBounds,
      )
      .series(labels);
    for (const what of ['service', 'endpoint'] as const) {
      const name = `kubeproxy_sync_proxy_rules_${what}_changes`;
      metrics.count(`${name}_total`, `Changes of ${what}s.`, () => [[{}, this.#changes[what]]]);
      metrics.gauge(`${name}_pending`, 'Of those, the ones that are not in force yet.', () => [
        [{}, this.#pending[what]],
      ]);
    }
    const time = (name: string, help: string, read: () => number): void =>
      metrics.gauge(`kubeproxy_sync_proxy_rules_last_${name}timestamp_seconds`, help, () => [[labels, read() / 1000]]);
    time('', 'When the rules were last brought up to date.', () => this.#syncedMs);
    time('queued_', 'When there was last a reason to.', () => this.#queuedMs);
  }

  serviceChanged(): void {
    this.#came('service');
  }

  endpointsChanged(old: EndpointSlice | undefined, slice: EndpointSlice | undefined): void {
    this.#came('endpoint');
    const trigger = slice?.metadata.annotations?.[triggerTimeAnnotation];
    // What was there before the first time tells nothing about how fast this is.
    if (trigger === undefined || trigger === old?.metadata.annotations?.[triggerTimeAnnotation]) return;
    if (this.#syncedMs > 0) this.#triggers.push(parseTime(trigger));
  }

  #came(of: 'service' | 'endpoint'): void {
    this.#changes[of]++;
    this.#pending[of]++;
    this.#queuedMs = this.#clock.now();
  }

  /** Brings the rules up to date with everything that has come until now. */
  async sync(kind: 'full' | 'partial', work: () => Promise<void>): Promise<void> {
    const sinceMs = this.#clock.monotonic();
    const triggers = this.#triggers;
    this.#triggers = [];
    this.#pending.service = this.#pending.endpoint = 0;
    try {
      await work();
    } catch (error) {
      this.#failures(1);
      // They are still waited for.
      this.#triggers.unshift(...triggers);
      throw error;
    } finally {
      const seconds = (this.#clock.monotonic() - sinceMs) / 1000;
      this.#syncs.all(seconds);
      this.#syncs[kind](seconds);
    }
    this.#syncedMs = this.#clock.now();
    for (const atMs of triggers) this.#programming(Math.max(0, this.#syncedMs - atMs) / 1000);
  }
}
