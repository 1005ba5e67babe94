import type { Clock } from '#base/clock.ts';
import type { PriorityLevelConfiguration } from '#kinds/generated/types/flowcontrol_v1.ts';
import { FairQueues, type QueueSettings, type Waiting } from './queues.ts';
import type { Flow } from './schemas.ts';

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
  /** Most seats that were wanted at once since lending was last decided. */
  highestDemand = 0;
  smoothedDemand = 0;
  /** What lending would like it to have. */
  targetSeats = 0;

  constructor(name: string) {
    this.name = name;
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
    this.#noteDemand();
  }

  #noteDemand(): void {
    const demand = this.executingSeats + this.queuedSeats;
    if (demand > this.highestDemand) this.highestDemand = demand;
  }

  finish(seats: number): void {
    this.executing--;
    this.executingSeats -= seats;
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
    this.#noteDemand();
    onQueued?.(this.queues.lengthAt(request));
    const settle = (outcome: 'started' | Rejection): void => {
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
      if (outcome !== 'started') {
        this.queues?.remove(request, { served: false });
        this.queuedSeats -= seats;
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
