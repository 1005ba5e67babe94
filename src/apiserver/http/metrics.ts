import { LruCache } from '#base/lru-cache.ts';
import { type MetricFilterOptions, metricFilter } from '#base/metric-filter.ts';
import { exponentialBounds, type HistogramReading, Metrics, type Series, type Tally } from '#base/metrics.ts';
import { deprecatedUntil } from '#kinds/deprecations.ts';
import { describeFlowControl, FlowMetrics } from '../fairness/metrics.ts';
import type { ApiServer } from '../server.ts';
import { AccessMetrics } from './access-metrics.ts';
import { HealthMetrics } from './health-metrics.ts';
import type { RequestInfo, ResourceRequest } from './request-info.ts';
import { maxCachedSeries, RequestCounts, type RequestSeries, scopeOf } from './request-series.ts';
import { describeServer } from './server-readings.ts';

const mutating = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);
/** Bytes: upstream's bounds for bodies, up to the largest there may be. */
const bodyBounds = Array.from({ length: 31 }, (_, index) => 50_000 + index * 100_000);
const eventBounds = exponentialBounds(1024, 2, 8);

/** Seconds until a watch has told of everything that was there: upstream's bounds. */
const watchListBounds = [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 2, 4, 6, 8, 10, 15, 20, 30, 45, 60];

/** Counts what a watch sends. */
export interface WatchSeries {
  readonly events: Series;
  /** Bytes of each of several events. */
  readonly sizes: (tallied: HistogramReading) => void;
  readonly tally: Tally;
  /** Watches that were ended because their clients did not keep up. */
  readonly terminated: Series;
}

/** What the server tells about itself on `/metrics`, under upstream's names. */
export class ServerMetrics {
  readonly access: AccessMetrics;
  readonly health: HealthMetrics;
  readonly flows: FlowMetrics | undefined;
  readonly #metrics = new Metrics();
  readonly #requests: RequestCounts;
  readonly #bodySeries = new LruCache<string, Series>(maxCachedSeries);
  readonly #inFlight = { readOnly: 0, mutating: 0 };
  readonly #bodies = this.#metrics.histogram('apiserver_request_body_size_bytes', 'Bytes of bodies.', bodyBounds);
  readonly #watchEvents = this.#metrics.counter('apiserver_watch_events_total', 'Events that watches sent.');
  readonly #watchSizes = this.#metrics.histogram('apiserver_watch_events_sizes', 'Bytes of those.', eventBounds);
  readonly #watchLists = this.#metrics.histogram(
    'apiserver_watch_list_duration_seconds',
    'How long watches took to tell of everything that was there.',
    watchListBounds,
  );
  readonly #terminatedWatchers = this.#metrics.counter(
    'apiserver_terminated_watchers_total',
    'Watches that were ended because their clients did not keep up.',
  );
  readonly #handshakeErrors = this.#metrics.counter(
    'apiserver_tls_handshake_errors_total',
    'Connections that did not agree on TLS.',
  );
  /** Deprecated versions that somebody asked for, with the release that will not have them. */
  readonly #deprecated = new Map<string, Readonly<Record<string, string>>>();
  readonly #server: ApiServer;
  readonly #filter: ((page: string) => string) | undefined;

  /** @param shown what is left out of the page. */
  constructor(server: ApiServer, shown: MetricFilterOptions = {}) {
    this.#server = server;
    this.#filter = metricFilter(shown);
    const metrics = this.#metrics;
    this.#handshakeErrors.add({}, 0);
    this.access = new AccessMetrics(metrics);
    this.health = new HealthMetrics();
    this.#requests = new RequestCounts(metrics, (info) => this.#isServed(info));
    metrics.gauge('apiserver_current_inflight_requests', 'Requests that are being served.', () => [
      [{ request_kind: 'readOnly' }, this.#inFlight.readOnly],
      [{ request_kind: 'mutating' }, this.#inFlight.mutating],
    ]);
    metrics.gauge('apiserver_requested_deprecated_apis', 'Deprecated versions that were asked for.', () =>
      [...this.#deprecated.values()].map((labels) => [labels, 1] as const),
    );
    if (server.fairness !== undefined) {
      describeFlowControl(metrics, server.fairness);
      this.flows = new FlowMetrics(metrics);
      server.fairness.observer = this.flows;
    }
    describeServer(metrics, server);
    this.#describeMetrics(shown.disabled?.length ?? 0);
  }

  seriesOf(info: RequestInfo, sort: { readonly dryRun: boolean; readonly code: number }): RequestSeries {
    return this.#requests.of(info, sort);
  }

  inFlight({ verb }: RequestInfo, change: 1 | -1): void {
    this.#inFlight[mutating.has(verb) ? 'mutating' : 'readOnly'] += change;
  }

  received({ group, resource, verb }: ResourceRequest, bytes: number): void {
    const key = `${verb} ${group}/${resource}`;
    let series = this.#bodySeries.get(key);
    if (series === undefined) {
      series = this.#bodies.series({ group, resource, verb });
      this.#bodySeries.set(key, series);
    }
    series(bytes);
  }

  watching(group: string, version: string, resource: string): WatchSeries {
    const labels = { group, version, resource };
    return {
      events: this.#watchEvents.series(labels),
      sizes: this.#watchSizes.tallied(labels),
      tally: this.#watchSizes.tally,
      terminated: this.#terminatedWatchers.series({ group, resource }),
    };
  }

  /** A watch has told of everything that was there (KEP-3157). */
  watchListed({ group, version, resource, name, namespace }: ResourceRequest, seconds: number): void {
    this.#watchLists.observe({ group, version, resource, scope: scopeOf({ name, namespace }) }, seconds);
  }

  handshakeFailed(): void {
    this.#handshakeErrors.add({});
  }

  /** Asked once for each sort of request. */
  #isServed({ group, version, resource, subresource }: ResourceRequest): boolean {
    const served = this.#server.resources.get(group, version, resource);
    if (served === undefined) return false;
    const removed_release = deprecatedUntil(served.kind);
    if (removed_release !== undefined) {
      const labels = { group, version, resource, subresource, removed_release };
      this.#deprecated.set(Object.values(labels).join(' '), labels);
    }
    return subresource === '' || served.subresources.has(subresource);
  }

  /** Counts anew. */
  reset(): void {
    for (const metrics of this.#pages()) metrics.reset();
  }

  /** Everything whose metrics are on the page. */
  *#pages(): Generator<Metrics> {
    yield this.#metrics;
    const { metrics } = this.#server.environment;
    if (metrics !== undefined) yield metrics;
    yield this.#server.registry.admission.metrics.registry;
  }

  #describeMetrics(disabled: number): void {
    const metrics = this.#metrics;
    metrics.count('registered_metrics_total', 'Metrics by what is promised of them.', () => {
      const counts = new Map<string, number>();
      for (const page of this.#pages())
        for (const [level, count] of page.stabilities()) counts.set(level, (counts.get(level) ?? 0) + count);
      return [...counts].map(
        ([stability_level, count]) => [{ stability_level, deprecated_version: '' }, count] as const,
      );
    });
    metrics.count('disabled_metrics_total', 'Metrics that are left out.', () => [[{}, disabled]]);
    metrics.count('hidden_metrics_total', 'Metrics that are left out because of their age.', () => [[{}, 0]]);
  }

  render(): string {
    const page = Array.from(this.#pages(), (metrics) => metrics.render()).join('');
    return this.#filter === undefined ? page : this.#filter(page);
  }
}
