import type { Clock } from '#base/clock.ts';
import { finishPermit, type Permit } from '../fairness/level.ts';
import { isLongRunning } from '../fairness/seats.ts';
import type { UserInfo } from '../registry/operation.ts';
import type { ServerMetrics } from './metrics.ts';
import type { RequestInfo } from './request-info.ts';

/** Follows one request from its head to its end and tells the metrics. Times are monotonic milliseconds. */
export class RequestMeter {
  readonly #metrics: ServerMetrics;
  readonly #clock: Clock;
  readonly #info: RequestInfo;
  readonly #dryRun: boolean;
  readonly #startedMs: number;
  readonly #open: { count: number } | undefined;
  /** Time in webhooks. */
  outsideMs = 0;
  #permit: Permit | undefined;

  constructor(metrics: ServerMetrics, clock: Clock, info: RequestInfo, query: URLSearchParams) {
    this.#metrics = metrics;
    this.#clock = clock;
    this.#info = info;
    this.#dryRun = query.size > 0 && query.has('dryRun');
    this.#startedMs = clock.monotonic();
    if (info.verb === 'watch' || isLongRunning(info)) {
      this.#open = metrics.seriesOf(info, { dryRun: this.#dryRun, code: 200 }).open;
      this.#open.count++;
    } else metrics.inFlight(info, 1);
  }

  /** Who asks is known, or is not believed. @param certificateEndMs when its certificate ends, if it has one. */
  authenticated(user: UserInfo | undefined, certificateEndMs?: number): void {
    const { access } = this.#metrics;
    access.authenticated(user, this.#seconds(this.#startedMs));
    if (certificateEndMs !== undefined) access.certificateLeft((certificateEndMs - this.#clock.now()) / 1000);
  }

  /** Goes on as `decide` does. */
  authorizing(decide: () => void | Promise<void>): void | Promise<void> {
    const since = this.#clock.monotonic();
    const { access } = this.#metrics;
    const allowed = (): void => access.authorized('allowed', this.#seconds(since));
    const refused = (error: unknown): never => {
      access.authorized('no-opinion', this.#seconds(since));
      throw error;
    };
    let pending: void | Promise<void>;
    try {
      pending = decide();
    } catch (error) {
      return refused(error);
    }
    if (pending !== undefined) return pending.then(allowed, refused);
    allowed();
  }

  admitted(permit: Permit): void {
    this.#permit = permit;
  }

  /** The request needs its seats no more. */
  leaveSeats(): void {
    const permit = this.#permit;
    if (permit === undefined || permit.isFinished) return;
    finishPermit(permit);
    this.#metrics.flows?.finished(permit, this.#clock.monotonic(), { isWatch: this.#info.verb === 'watch' });
  }

  /** The body of a write was read. */
  received(bytes: number): void {
    if (this.#info.type === 'resource') this.#metrics.received(this.#info, bytes);
  }

  /** A watch has told of everything that was there. */
  listed(): void {
    if (this.#info.type === 'resource') this.#metrics.watchListed(this.#info, this.#seconds(this.#startedMs));
  }

  /** The answer was sent, or its client is gone. */
  finish({ code, bytes, aborted }: { readonly code: number; readonly bytes: number; readonly aborted: boolean }): void {
    const series = this.#metrics.seriesOf(this.#info, { dryRun: this.#dryRun, code });
    series.count(1);
    if (aborted && this.#open === undefined) series.aborted(1);
    if (code === 429 && this.#permit === undefined) series.terminated(1);
    if (this.#open !== undefined) {
      this.#open.count--;
      return;
    }
    this.#metrics.inFlight(this.#info, -1);
    const seconds = this.#seconds(this.#startedMs);
    series.duration(seconds);
    series.indicator(Math.max(0, seconds - (this.outsideMs + (this.#permit?.waitedMs ?? 0)) / 1000));
    if (code < 300) series.responseSize?.(bytes);
  }

  #seconds(sinceMs: number): number {
    return (this.#clock.monotonic() - sinceMs) / 1000;
  }
}
