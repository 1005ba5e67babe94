import type { MetricLabels, Metrics } from '#base/metrics.ts';
import type { FlowControl } from './flow-control.ts';
import type { Level } from './level.ts';

/** `apiserver_flowcontrol_*`, read from the levels when somebody asks: counting costs requests nothing. */
export function describeFlowControl(metrics: Metrics, control: FlowControl): void {
  const perLevel = (name: string, help: string, read: (level: Level) => number): void =>
    metrics.gauge(`apiserver_flowcontrol_${name}`, help, () =>
      control.levels().map((level) => [{ priority_level: level.name }, read(level)] as const),
    );
  perLevel('current_executing_requests', 'Requests that are being served.', (level) => level.executing);
  perLevel('current_executing_seats', 'Seats that are taken.', (level) => level.executingSeats);
  perLevel('current_inqueue_requests', 'Requests that wait.', (level) => level.queues?.length ?? 0);
  perLevel('current_inqueue_seats', 'Seats that are waited for.', (level) => level.queuedSeats);
  perLevel('nominal_limit_seats', 'Seats by shares.', (level) => level.nominalSeats);
  perLevel('lower_limit_seats', 'Seats that are never lent.', (level) => level.minSeats);
  perLevel('upper_limit_seats', 'Seats with all that may be borrowed.', (level) => level.maxSeats);
  perLevel('current_limit_seats', 'Seats as they are lent now.', (level) => level.seats);
  perLevel('demand_seats_high_watermark', 'Most seats wanted at once lately.', (level) => level.highestDemand);
  perLevel('demand_seats_smoothed', 'Seats wanted, as lending counts them.', (level) => level.smoothedDemand);
  metrics.count('apiserver_flowcontrol_dispatched_requests_total', 'Requests that were let through.', () =>
    control
      .schemas()
      .all()
      .map(
        ({ name, levelName, dispatched }) => [{ priority_level: levelName, flow_schema: name }, dispatched] as const,
      ),
  );
  metrics.count('apiserver_flowcontrol_rejected_requests_total', 'Requests that were turned away.', () =>
    [...control.rejected].map(([key, count]) => [rejectionLabels(key), count] as const),
  );
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
