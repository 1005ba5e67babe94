import type { Clock } from '#base/clock.ts';
import type { HistogramReading } from '#base/metrics.ts';
import type { PriorityLevelConfiguration } from '#kinds/generated/types/flowcontrol_v1.ts';
import { FairQueues, type QueueSettings, type Waiting } from './queues.ts';
import type { Flow } from './schemas.ts';
import { TimedAverage, TimedRatio, type TimedSummary } from './timed-ratio.ts';

/** Upstream's bounds, in parts of the seats that a level has on its own, or of the places in its queues. */
export const ratioBounds = {
  demand: [0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.7, 2, 2.8, 4, 6],
  seats: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1],
  requests: [0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.25, 0.5, 0.75, 1],
} as const;

/** Why a request was turned away; the metric's label. */
export type Rejection = 'queue-full' | 'concurrency-limit' | 'time-out' | 'cancelled';

/** One request's right to be served; ends with `finish`. */
export interface Permit {
  readonly level: Level;
  readonly flow: Flow;
  readonly seats: number;
  isFinished: boolean;
  /** When it began, in monotonic milliseconds, and how long it had waited. */
  readonly startedMs: number;
  readonly waitedMs: number;
}

/** Gives the seats back; once, however often it is called. */
export function finishPermit(permit: Permit): void {
  if (permit.isFinished) return;
  permit.isFinished = true;
  permit.flow.schema.running.leave(permit.seats);
  permit.level.finish(permit.seats);
}

/** A priority level at work: its seats, and who waits for them. */
export class Level {
  readonly name: string;
  uid = '';
  isExempt = false;
  /** Undefined: who finds no seat is turned away. */
  queues: FairQueues | undefined;
  /** Seats that it has on its own, that it keeps at least, that it may have at most, and that it has now. */
  nominalSeats = 0;
  minSeats = 0;
  maxSeats = Number.POSITIVE_INFINITY;
  seats = 0;
  executing = 0;
  executingSeats = 0;
  queuedSeats = 0;
  /** Seats that were wanted between the last two times that lending was decided. */
  demand: TimedSummary = { average: 0, deviation: 0, highest: 0 };
  smoothedDemand = 0;
  /** What lending would like it to have. */
  targetSeats = 0;
  readonly #clock: Clock;
  readonly #wanted: TimedAverage;
  readonly #ratios: Readonly<Record<'demand' | 'seats' | 'executing' | 'waiting', TimedRatio>>;

  constructor(name: string, clock: Clock) {
    this.name = name;
    this.#clock = clock;
    const nowMs = clock.monotonic();
    this.#wanted = new TimedAverage(nowMs);
    this.#ratios = {
      demand: new TimedRatio(ratioBounds.demand, nowMs),
      seats: new TimedRatio(ratioBounds.seats, nowMs),
      executing: new TimedRatio(ratioBounds.requests, nowMs),
      waiting: new TimedRatio(ratioBounds.requests, nowMs),
    };
  }

  /** How long which part of the level was in use. */
  readRatio(of: 'demand' | 'seats' | 'executing' | 'waiting'): HistogramReading {
    return this.#ratios[of].read(this.#clock.monotonic());
  }

  /** Looks back at what was wanted since the last time. */
  takeDemand(): TimedSummary {
    this.demand = this.#wanted.take(this.#clock.monotonic()) ?? this.demand;
    return this.demand;
  }

  /** Seats by shares; what is used is told in parts of them. */
  assign(seats: { readonly nominal: number; readonly min: number; readonly max: number }): void {
    [this.nominalSeats, this.minSeats, this.maxSeats] = [seats.nominal, seats.min, seats.max];
    this.seats = seats.nominal;
    const nowMs = this.#clock.monotonic();
    const { queues = 0, queueLengthLimit = 0 } = this.queues?.settings ?? {};
    this.#ratios.waiting.of(Math.max(1, queues * queueLengthLimit), nowMs);
    for (const part of ['demand', 'seats', 'executing'] as const)
      this.#ratios[part].of(Math.max(1, seats.nominal), nowMs);
  }

  /** Takes over what its object says; who waits goes on waiting, in the new queues. */
  configure({ metadata, spec }: PriorityLevelConfiguration): void {
    this.uid = metadata.uid ?? '';
    this.isExempt = spec?.type === 'Exempt';
    const response = spec?.limited?.limitResponse;
    const { queues = 64, handSize = 8, queueLengthLimit = 50 } = response?.queuing ?? {};
    const before = this.queues;
    const settings = { queues, handSize, queueLengthLimit };
    if (response?.type !== 'Queue') this.queues = undefined;
    else if (before === undefined || !sameSettings(before.settings, settings)) this.queues = new FairQueues(settings);
    if (before === undefined || before === this.queues) return;
    for (const request of before.takeAll()) if (this.queues?.add(request) !== true) request.refuse();
  }

  /** Takes seats at once; false when there are not enough, or others wait for them. */
  tryStart(seats: number): boolean {
    if (!this.isExempt) {
      // One request alone may be wider than the level.
      const fits = this.executingSeats + seats <= this.seats || this.executingSeats === 0;
      if (!fits || (this.queues !== undefined && this.queues.length > 0)) return false;
    }
    this.#start(seats);
    return true;
  }

  #start(seats: number): void {
    this.executing++;
    this.executingSeats += seats;
    this.#note();
  }

  /** Requests have come or gone. */
  #note(): void {
    const nowMs = this.#clock.monotonic();
    const demand = this.executingSeats + this.queuedSeats;
    this.#wanted.set(demand, nowMs);
    this.#ratios.demand.set(demand, nowMs);
    this.#ratios.seats.set(this.executingSeats, nowMs);
    this.#ratios.executing.set(this.executing, nowMs);
    if (this.queues !== undefined) this.#ratios.waiting.set(this.queues.length, nowMs);
  }

  finish(seats: number): void {
    this.executing--;
    this.executingSeats -= seats;
    this.#note();
    if (this.queues !== undefined && this.queues.length > 0) this.dispatch();
  }

  /** Lets those go on who are next and for whom there are seats. */
  dispatch(): void {
    for (let next = this.queues?.peek(); next !== undefined; next = this.queues?.peek()) {
      if (this.executingSeats > 0 && this.executingSeats + next.seats > this.seats) return;
      this.queues!.remove(next, { served: true });
      this.queuedSeats -= next.seats;
      this.#start(next.seats);
      next.grant();
    }
  }

  /** Waits for seats: 'started' when it got them. */
  wait(
    {
      hash,
      seats,
      onQueued,
    }: { readonly hash: number; readonly seats: number; readonly onQueued?: (length: number) => void },
    { clock, limitMs, signal }: { readonly clock: Clock; readonly limitMs: number; readonly signal: AbortSignal },
  ): Promise<'started' | Rejection> {
    if (this.queues === undefined) return Promise.resolve('concurrency-limit');
    const { promise, resolve } = Promise.withResolvers<'started' | Rejection>();
    const request: Waiting = {
      hash,
      seats,
      startTag: 0,
      queue: 0,
      grant: () => settle('started'),
      refuse: () => settle('queue-full'),
    };
    if (!this.queues.add(request)) return Promise.resolve('queue-full');
    this.queuedSeats += seats;
    this.#note();
    onQueued?.(this.queues.lengthAt(request));
    const settle = (outcome: 'started' | Rejection): void => {
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
      if (outcome !== 'started') {
        this.queues?.remove(request, { served: false });
        this.queuedSeats -= seats;
        this.#note();
      }
      resolve(outcome);
    };
    const onAbort = (): void => settle('cancelled');
    const timer = clock.schedule(limitMs, () => settle('time-out'));
    signal.addEventListener('abort', onAbort, { once: true });
    // Where queues are shorter than the seats that are free, nobody has to wait after all.
    this.dispatch();
    return promise;
  }
}

function sameSettings(left: QueueSettings, right: QueueSettings): boolean {
  return (
    left.queues === right.queues && left.handSize === right.handSize && left.queueLengthLimit === right.queueLengthLimit
  );
}
