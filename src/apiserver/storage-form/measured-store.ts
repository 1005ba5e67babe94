import type { Clock } from '#base/clock.ts';
import type { Metrics, Series } from '#base/metrics.ts';
import type { CommitResult, RangeOptions, RangeResult, Store, StoredEntry, Write } from '#storage/store.ts';
import { StoreLayer } from '#storage/store-layer.ts';
import type { Tracer } from '../tracing/tracer.ts';

/** Seconds. */
const bounds = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];

/** Spans are named as upstream names its own. */
const spanNames = {
  get: 'Get etcd3',
  list: 'List(recursive=true) etcd3',
  create: 'Create etcd3',
  update: 'GuaranteedUpdate etcd3',
  delete: 'Delete etcd3',
} as const;

interface OperationSeries {
  readonly count: Series;
  readonly failed: Series;
  readonly seconds: Series;
}

/** A store whose operations are counted under upstream's names, which say `etcd` whatever the store is. */
export class MeasuredStore extends StoreLayer {
  readonly #clock: Clock;
  readonly #tracer: Tracer | undefined;
  readonly #make: (operation: string, group: string, resource: string) => OperationSeries;
  /** By operation and the first part of the key after the root. */
  readonly #series = new Map<string, OperationSeries>();

  constructor(
    inner: Store,
    {
      metrics,
      clock,
      tracer,
    }: { readonly metrics: Metrics; readonly clock: Clock; readonly tracer: Tracer | undefined },
  ) {
    super(inner);
    this.#tracer = tracer;
    this.#clock = clock;
    const total = metrics.counter('etcd_requests_total', 'Operations of the store.');
    const errors = metrics.counter('etcd_request_errors_total', 'Those that failed.');
    const durations = metrics.histogram('etcd_request_duration_seconds', 'How long they took.', bounds);
    this.#make = (operation, group, resource) => {
      const labels = { operation, group, resource };
      return { count: total.series(labels), failed: errors.series(labels), seconds: durations.series(labels) };
    };
  }

  override get(key: string, options?: { readonly revision?: number }): Promise<StoredEntry | undefined> {
    return this.#measure('get', key, this.inner.get(key, options));
  }

  override range(prefix: string, options?: RangeOptions): Promise<RangeResult> {
    return this.#measure('list', prefix, this.inner.range(prefix, options));
  }

  override commit(write: Write): Promise<CommitResult> {
    const operation = write.value === undefined ? 'delete' : write.expectedRevision === 0 ? 'create' : 'update';
    return this.#measure(operation, write.key, this.inner.commit(write));
  }

  #measure<T>(operation: keyof typeof spanNames, key: string, work: Promise<T>): Promise<T> {
    const since = this.#clock.monotonic();
    const series = this.#seriesOf(operation, key);
    const name = spanNames[operation];
    const span = this.#tracer?.child({ name, kind: 'internal', startMs: this.#clock.now(), attributes: { key } });
    work.then(
      () => {
        span?.end();
        series.count(1);
        series.seconds((this.#clock.monotonic() - since) / 1000);
      },
      (error: unknown) => {
        span?.end({ error: String(error) });
        series.failed(1);
      },
    );
    return work;
  }

  /** Keys begin `/registry/pods/…`, or `/registry/GROUP/RESOURCE/…` where the second part has a dot. */
  #seriesOf(operation: string, key: string): OperationSeries {
    const start = key.indexOf('/', 1) + 1;
    let end = key.indexOf('/', start);
    if (end < 0) end = key.length;
    const isGrouped = key.slice(start, end).includes('.');
    if (isGrouped) {
      const next = key.indexOf('/', end + 1);
      end = next < 0 ? key.length : next;
    }
    const place = key.slice(start, end);
    const name = `${operation} ${place}`;
    let series = this.#series.get(name);
    if (series === undefined) {
      const [group, resource] = isGrouped ? place.split('/') : ['', place];
      series = this.#make(operation, group ?? '', resource ?? '');
      this.#series.set(name, series);
    }
    return series;
  }
}
