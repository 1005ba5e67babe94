import { LruCache } from '#base/lru-cache.ts';
import { exponentialBounds, type Metrics, type Series } from '#base/metrics.ts';
import type { RequestInfo, ResourceRequest } from './request-info.ts';

/** Upstream's bounds for the duration of requests, in seconds. */
const durationBounds = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
];
/** The same without the shortest ones. */
const indicatorBounds = durationBounds.slice(2);

/** Series of requests whose labels are kept ready. */
export const maxCachedSeries = 1024;

export interface RequestLabels {
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly scope: string;
}

/** What is counted of one sort of request. */
export interface RequestSeries {
  readonly count: Series;
  /** Seconds. */
  readonly duration: Series;
  /** Seconds without what the server had no part in. */
  readonly indicator: Series;
  /** Bytes; of reads alone. */
  readonly responseSize: Series | undefined;
  /** Requests that last as long as their clients like, going on now. */
  readonly open: { count: number };
  readonly terminated: Series;
  readonly aborted: Series;
}

/** What counts requests by their sort, with the labels of each written out once. */
export class RequestCounts {
  readonly #known = new LruCache<string, RequestSeries>(maxCachedSeries);
  readonly #open = new Map<string, { readonly labels: Readonly<Record<string, string>>; count: number }>();
  readonly #make: (labels: RequestLabels, dryRun: string, code: number) => RequestSeries;
  readonly #isServed: (info: ResourceRequest) => boolean;

  /** @param isServed whether there is such a resource: clients must not think up labels. */
  constructor(metrics: Metrics, isServed: (info: ResourceRequest) => boolean) {
    this.#isServed = isServed;
    const total = metrics.counter('apiserver_request_total', 'Requests by verb, resource and answer code.');
    const durations = metrics.histogram(
      'apiserver_request_duration_seconds',
      'How long requests took, but for those that last as long as their clients like.',
      durationBounds,
    );
    const indicators = metrics.histogram(
      'apiserver_request_sli_duration_seconds',
      'The same without the time in webhooks and queues.',
      indicatorBounds,
    );
    const sizes = metrics.histogram(
      'apiserver_response_sizes',
      'Bytes of the answers to reads.',
      exponentialBounds(1000, 10, 7),
    );
    const terminations = metrics.counter(
      'apiserver_request_terminations_total',
      'Requests that the server ended to protect itself.',
    );
    const aborts = metrics.counter('apiserver_request_aborts_total', 'Requests whose client went away.');
    metrics.gauge('apiserver_longrunning_requests', 'Watches and streams that go on.', () =>
      [...this.#open.values()].map(({ labels, count }) => [labels, count] as const),
    );
    this.#make = (labels, dryRun, code) => {
      const full = { ...labels, component: 'apiserver' };
      const isRead = labels.verb === 'GET' || labels.verb === 'LIST';
      return {
        count: total.series({ ...full, dry_run: dryRun, code: String(code) }),
        duration: durations.series({ ...full, dry_run: dryRun }),
        indicator: indicators.series(full),
        responseSize: isRead && labels.resource !== '' ? sizes.series(full) : undefined,
        open: this.#openOf(full),
        terminated: terminations.series({ ...full, code: String(code) }),
        aborted: aborts.series({ ...labels }),
      };
    };
  }

  #openOf(labels: Readonly<Record<string, string>>): { count: number } {
    const key = Object.values(labels).join(' ');
    let open = this.#open.get(key);
    if (open === undefined) {
      open = { labels, count: 0 };
      // Those that never are long-running are not shown.
      if (labels['verb'] === 'WATCH' || labels['subresource'] !== '') this.#open.set(key, open);
    }
    return open;
  }

  of(info: RequestInfo, { dryRun, code }: { readonly dryRun: boolean; readonly code: number }): RequestSeries {
    const key = `${sortOf(info)} ${code}${dryRun ? ' dry' : ''}`;
    let series = this.#known.get(key);
    if (series === undefined) {
      const labels = info.type === 'path' || !this.#isServed(info) ? pathLabels(info.verb) : labelsOf(info);
      series = this.#make(labels, dryRun ? 'All' : '', code);
      this.#known.set(key, series);
    }
    return series;
  }
}

function sortOf(info: RequestInfo): string {
  if (info.type === 'path') return info.verb;
  const { verb, group, version, resource, subresource } = info;
  return `${verb} ${group}/${version}/${resource}/${subresource} ${scopeOf(info)}`;
}

/** What a request is about, as labels tell it. */
export function scopeOf({ name, namespace }: Pick<ResourceRequest, 'name' | 'namespace'>): string {
  return name !== '' ? 'resource' : namespace !== '' ? 'namespace' : 'cluster';
}

function pathLabels(verb: string): RequestLabels {
  return { verb: verbLabel(verb), group: '', version: '', resource: '', subresource: '', scope: '' };
}

function labelsOf(info: ResourceRequest): RequestLabels {
  const { verb, group, version, resource, subresource } = info;
  const label = connecting.has(subresource) ? 'CONNECT' : verbLabel(verb);
  return { verb: label, group, version, resource, subresource, scope: scopeOf(info) };
}

const connecting = new Set(['attach', 'exec', 'portforward', 'proxy']);
const verbNames: Readonly<Record<string, string>> = { create: 'POST', update: 'PUT' };
const knownVerbs = new Set(
  'APPLY CONNECT DELETE DELETECOLLECTION GET HEAD LIST OPTIONS PATCH POST PUT WATCH'.split(' '),
);

function verbLabel(verb: string): string {
  const label = verbNames[verb] ?? verb.toUpperCase();
  return knownVerbs.has(label) ? label : 'other';
}
