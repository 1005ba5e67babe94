import type { MetricLabels, Metrics, Series } from '#base/metrics.ts';
import type { FlowControl, FlowObserver, FlowWait } from './flow-control.ts';
import { type Level, type Permit, ratioBounds } from './level.ts';
import type { Flow, Schema } from './schemas.ts';

/** `apiserver_flowcontrol_*`, read from the levels when somebody asks: counting costs requests nothing. */
export function describeFlowControl(metrics: Metrics, control: FlowControl): void {
  const perLevel = (name: string, help: string, read: (level: Level) => number): void =>
    metrics.gauge(`apiserver_flowcontrol_${name}`, help, () =>
      control.levels().map((level) => [{ priority_level: level.name }, read(level)] as const),
    );
  perLevel('nominal_limit_seats', 'Seats by shares.', (level) => level.nominalSeats);
  perLevel('lower_limit_seats', 'Seats that are never lent.', (level) => level.minSeats);
  perLevel('upper_limit_seats', 'Seats with all that may be borrowed.', (level) => level.maxSeats);
  perLevel('current_limit_seats', 'Seats as they are lent now.', (level) => level.seats);
  perLevel('demand_seats_high_watermark', 'Most seats wanted at once lately.', ({ demand }) => demand.highest);
  perLevel('demand_seats_average', 'Seats wanted lately.', ({ demand }) => demand.average);
  perLevel('demand_seats_stdev', 'How much that varied.', ({ demand }) => demand.deviation);
  perLevel('demand_seats_smoothed', 'Seats wanted, as lending counts them.', (level) => level.smoothedDemand);
  perLevel('target_seats', 'Seats that lending would give.', (level) => level.targetSeats);
  describeSchemas(metrics, control);
  describeUse(metrics, control);
  metrics.gauge('apiserver_flowcontrol_seat_fair_frac', 'How much of what levels wanted they were lent.', () => [
    [{}, control.fairFraction],
  ]);
  metrics.gauge('apiserver_current_inqueue_requests', 'Requests that wait, by kind.', () =>
    Object.entries(control.waiting).map(([request_kind, count]) => [{ request_kind }, count] as const),
  );
  metrics.count('apiserver_flowcontrol_rejected_requests_total', 'Requests that were turned away.', () =>
    [...control.rejected].map(([key, count]) => [rejectionLabels(key), count] as const),
  );
}

function describeSchemas(metrics: Metrics, control: FlowControl): void {
  const perSchema = (type: 'gauge' | 'count', name: string, help: string, read: (schema: Schema) => number): void =>
    metrics[type](`apiserver_flowcontrol_${name}`, help, () =>
      control
        .schemas()
        .all()
        .map((schema) => [{ priority_level: schema.levelName, flow_schema: schema.name }, read(schema)] as const),
    );
  perSchema(
    'gauge',
    'current_executing_requests',
    'Requests that are being served.',
    ({ running }) => running.requests,
  );
  perSchema('gauge', 'current_executing_seats', 'Seats that are taken.', ({ running }) => running.seats);
  perSchema('gauge', 'current_inqueue_requests', 'Requests that wait.', ({ waiting }) => waiting.requests);
  perSchema('gauge', 'current_inqueue_seats', 'Seats that are waited for.', ({ waiting }) => waiting.seats);
  perSchema('count', 'dispatched_requests_total', 'Requests that were let through.', ({ dispatched }) => dispatched);
}

/** How long levels were in use how much. */
function describeUse(metrics: Metrics, control: FlowControl): void {
  const prefix = 'apiserver_flowcontrol';
  metrics.histograms(`${prefix}_demand_seats`, 'Seats wanted, in parts of those by shares.', ratioBounds.demand, () =>
    control.levels().map((level) => [{ priority_level: level.name }, level.readRatio('demand')] as const),
  );
  metrics.histograms(
    `${prefix}_priority_level_seat_utilization`,
    'Seats that were taken, in parts of those by shares.',
    ratioBounds.seats,
    () =>
      control
        .levels()
        .map((level) => [{ phase: 'executing', priority_level: level.name }, level.readRatio('seats')] as const),
  );
  metrics.histograms(
    `${prefix}_priority_level_request_utilization`,
    'Requests that were served or waited, in parts of as many as there is place for.',
    ratioBounds.requests,
    () =>
      control
        .levels()
        .flatMap((level) =>
          (['executing', 'waiting'] as const).map(
            (phase) => [{ phase, priority_level: level.name }, level.readRatio(phase)] as const,
          ),
        ),
  );
}

/** Seconds. */
const waitBounds = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30];
/** Requests. */
const lengthBounds = [0, 10, 25, 50, 100, 250, 500, 1000];
const seatBounds = [1, 2, 4, 8, 16, 32, 64, 100];

interface FlowSeries {
  readonly waited: Series;
  readonly refused: Series;
  readonly seats: Series;
  readonly executed: Series;
  readonly watched: Series;
  readonly length: Series;
}

/** How long requests waited and took, by schema and level. */
export class FlowMetrics implements FlowObserver {
  readonly #known = new WeakMap<Schema, FlowSeries>();
  readonly #make: (schema: Schema) => FlowSeries;

  constructor(metrics: Metrics) {
    const prefix = 'apiserver_flowcontrol';
    const waits = metrics.histogram(`${prefix}_request_wait_duration_seconds`, 'How long requests waited.', waitBounds);
    const runs = metrics.histogram(`${prefix}_request_execution_seconds`, 'How long requests had seats.', waitBounds);
    const seats = metrics.histogram(`${prefix}_work_estimated_seats`, 'Seats that requests wanted.', seatBounds);
    const lengths = metrics.histogram(
      `${prefix}_request_queue_length_after_enqueue`,
      'How long the queue was that a request came into, itself included.',
      lengthBounds,
    );
    this.#make = ({ name, levelName }) => {
      const labels = { priority_level: levelName, flow_schema: name };
      return {
        waited: waits.series({ ...labels, execute: 'true' }),
        refused: waits.series({ ...labels, execute: 'false' }),
        seats: seats.series(labels),
        executed: runs.series({ ...labels, type: 'regular' }),
        watched: runs.series({ ...labels, type: 'watch' }),
        length: lengths.series(labels),
      };
    };
  }

  started({ schema }: Flow, { seats, waitedMs }: FlowWait): void {
    const series = this.#of(schema);
    series.waited(waitedMs / 1000);
    series.seats(seats);
  }

  refused({ schema }: Flow, { waitedMs }: FlowWait): void {
    this.#of(schema).refused(waitedMs / 1000);
  }

  queued({ schema }: Flow, length: number): void {
    this.#of(schema).length(length);
  }

  /** A request has given its seats back. */
  finished({ flow, startedMs }: Permit, nowMs: number, { isWatch }: { readonly isWatch: boolean }): void {
    const series = this.#of(flow.schema);
    (isWatch ? series.watched : series.executed)((nowMs - startedMs) / 1000);
  }

  #of(schema: Schema): FlowSeries {
    let series = this.#known.get(schema);
    if (series === undefined) {
      series = this.#make(schema);
      this.#known.set(schema, series);
    }
    return series;
  }
}

function rejectionLabels(key: string): MetricLabels {
  const [priority_level = '', flow_schema = '', reason = ''] = key.split(' ');
  return { priority_level, flow_schema, reason };
}

/** The pages under `/debug/api_priority_and_fairness/`; undefined for other names. */
export function debugPage(control: FlowControl, page: string): string | undefined {
  switch (page) {
    case 'dump_priority_levels':
      return table(
        [
          'PriorityLevelName',
          'ActiveQueues',
          'IsIdle',
          'IsQuiescing',
          'WaitingRequests',
          'ExecutingRequests',
          'SeatsInUse',
          'CurrentCL',
        ],
        control
          .levels()
          .map((level) => [
            level.name,
            [...(level.queues?.lengths() ?? [])].length,
            String(level.executing === 0 && level.queuedSeats === 0),
            'false',
            level.queues?.length ?? 0,
            level.executing,
            level.executingSeats,
            level.seats,
          ]),
      );
    case 'dump_queues':
      return table(
        ['PriorityLevelName', 'Index', 'PendingRequests'],
        control
          .levels()
          .flatMap((level) =>
            [...(level.queues?.lengths() ?? [])].map(([index, length]) => [level.name, index, length]),
          ),
      );
    case 'dump_requests':
      return table(
        ['PriorityLevelName', 'WaitingRequests', 'SeatsWanted'],
        control.levels().map((level) => [level.name, level.queues?.length ?? 0, level.queuedSeats]),
      );
    default:
      return undefined;
  }
}

function table(columns: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return [columns, ...rows].map((row) => `${row.join(', ')}\n`).join('');
}
