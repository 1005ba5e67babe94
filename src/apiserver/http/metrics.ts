import { LruCache } from '#base/lru-cache.ts';
import { Metrics, type Series } from '#base/metrics.ts';
import { describeFlowControl } from '../fairness/metrics.ts';
import type { ApiServer } from '../server.ts';
import type { RequestInfo } from './request-info.ts';
import { versionInfo } from './version.ts';

/** Upstream's bounds for the duration of requests, in seconds. */
const durationBounds = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
];
const mutating = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/** Series of requests whose labels are kept ready. */
const maxCachedSeries = 1024;

interface RequestSeries {
  readonly count: Series;
  readonly observe: Series;
}

interface RequestLabels {
  readonly verb: string;
  readonly component: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly scope: string;
}

/** What the server tells about itself on `/metrics`, under upstream's names. */
export class ServerMetrics {
  readonly #metrics = new Metrics();
  readonly #requests = this.#metrics.counter('apiserver_request_total', 'Requests by verb, resource and answer code.');
  readonly #durations = this.#metrics.histogram(
    'apiserver_request_duration_seconds',
    'How long requests took, watches aside.',
    durationBounds,
  );
  /** By what a request was and how it was answered: labels are written out once for each. */
  readonly #series = new LruCache<string, RequestSeries>(maxCachedSeries);
  readonly #inFlight = { readOnly: 0, mutating: 0 };

  readonly #server: ApiServer;

  constructor(server: ApiServer) {
    this.#server = server;
    const metrics = this.#metrics;
    metrics.gauge('apiserver_current_inflight_requests', 'Requests that are being served.', () => [
      [{ request_kind: 'readOnly' }, this.#inFlight.readOnly],
      [{ request_kind: 'mutating' }, this.#inFlight.mutating],
    ]);
    if (server.fairness !== undefined) describeFlowControl(metrics, server.fairness);
    describeAccess(metrics, server);
    metrics.gauge('apiserver_storage_objects', 'Objects in the store by resource.', () => storedObjects(server));
    metrics.gauge('apiserver_longrunning_requests', 'Open watches by resource.', () => openWatches(server));
    metrics.gauge('kubernetes_build_info', 'The version this server keeps to.', () => [
      [{ major: versionInfo.major, minor: versionInfo.minor, git_version: versionInfo.gitVersion }, 1],
    ]);
    metrics.gauge('process_start_time_seconds', 'When the process started, since 1970.', () => [
      [{}, performance.timeOrigin / 1000],
    ]);
    metrics.gauge('process_resident_memory_bytes', 'Resident memory.', () => [[{}, process.memoryUsage.rss()]]);
    metrics.gauge('process_cpu_seconds_total', 'Processor time used.', () => [[{}, processorSeconds()]]);
  }

  /** Counts a request from now until the returned function is called with its answer's code. */
  begin(info: RequestInfo, now: () => number): (code: number) => void {
    const kind = mutating.has(info.verb) ? 'mutating' : 'readOnly';
    const isWatch = info.verb === 'watch';
    const startedMs = now();
    if (!isWatch) this.#inFlight[kind]++;
    return (code) => {
      const { count, observe } = this.#seriesOf(info, code);
      count(1);
      if (isWatch) return;
      this.#inFlight[kind]--;
      observe((now() - startedMs) / 1000);
    };
  }

  #seriesOf(info: RequestInfo, code: number): RequestSeries {
    const labels = labelsOf(info);
    const key = `${labels.verb} ${labels.group}/${labels.version}/${labels.resource}/${labels.subresource} ${labels.scope} ${code}`;
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    const series = {
      count: this.#requests.series({ ...labels, code: String(code) }),
      observe: this.#durations.series({ ...labels }),
    };
    this.#series.set(key, series);
    return series;
  }

  render(): string {
    const { metrics } = this.#server.environment;
    return this.#metrics.render() + (metrics?.render() ?? '') + this.#server.registry.admission.metrics.render();
  }
}

function labelsOf(info: RequestInfo): RequestLabels {
  if (info.type === 'path')
    return {
      verb: info.verb.toUpperCase(),
      component: 'apiserver',
      group: '',
      version: '',
      resource: '',
      subresource: '',
      scope: '',
    };
  const { verb, group, version, resource, subresource, namespace, name } = info;
  const scope = name !== '' ? 'resource' : namespace !== '' ? 'namespace' : 'cluster';
  return {
    verb: verbNames[verb] ?? verb.toUpperCase(),
    component: 'apiserver',
    group,
    version,
    resource,
    subresource,
    scope,
  };
}

const verbNames: Readonly<Record<string, string>> = { create: 'POST', update: 'PUT' };

function* storedObjects({ resources }: ApiServer): Generator<readonly [Record<string, string>, number]> {
  for (const { kind, storage } of resources.all()) {
    if (storage?.kind.version !== kind.version || storage.kind.group !== kind.group) continue;
    yield [{ resource: kind.group === '' ? kind.resource : `${kind.resource}.${kind.group}` }, storage.cache.size];
  }
}

function* openWatches({ resources }: ApiServer): Generator<readonly [Record<string, string>, number]> {
  for (const { kind, storage } of resources.all()) {
    const { watcherCount = 0 } = storage?.cache ?? {};
    if (watcherCount > 0)
      yield [{ verb: 'WATCH', group: kind.group, version: kind.version, resource: kind.resource }, watcherCount];
  }
}

function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** What audit and encryption have to say, where there are any. */
function describeAccess(metrics: Metrics, { auditor, encryption }: ApiServer): void {
  if (auditor !== undefined) {
    metrics.count('apiserver_audit_event_total', 'Events that were noted.', () => [[{}, auditor.written]]);
    metrics.count('apiserver_audit_error_total', 'Events that were lost.', () => [[{ plugin: 'log' }, auditor.lost]]);
  }
  if (encryption === undefined) return;
  const { reloads } = encryption;
  metrics.count(
    'apiserver_encryption_config_controller_automatic_reloads_total',
    'Changes of the encryption configuration by whether they took effect.',
    () => [
      [{ status: 'success' }, reloads.success],
      [{ status: 'failure' }, reloads.failure],
    ],
  );
}
