import type { ObjectMeta } from '#machinery/meta.ts';
import { formatAge, parseTime } from '#machinery/time.ts';

/** As much of a core/v1 Event as is shown. */
export interface EventLike {
  readonly metadata: ObjectMeta;
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly firstTimestamp?: string | null;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
  readonly reportingComponent?: string;
  readonly source?: { readonly component?: string; readonly host?: string };
  readonly involvedObject?: {
    readonly kind?: string;
    readonly name?: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly fieldPath?: string;
  };
  readonly series?: { readonly count?: number; readonly lastObservedTime?: string };
}

/** When it happened last, in milliseconds; 0 when nobody says. */
export function lastTime({ series, lastTimestamp, eventTime }: EventLike): number {
  const text = series?.lastObservedTime ?? lastTimestamp ?? eventTime;
  return text === undefined || text === null ? 0 : parseTime(text);
}

/** `5s`, or `5s (x3 over 2m)` for what happened again. */
export function lastSeen(event: EventLike, now: number): string {
  const age = (text: string | null | undefined): string =>
    text === undefined || text === null ? '<unknown>' : formatAge(now - parseTime(text));
  const first = age(event.firstTimestamp ?? event.eventTime);
  if (event.series !== undefined) {
    return `${age(event.series.lastObservedTime)} (x${event.series.count ?? 0} over ${first})`;
  }
  if ((event.count ?? 0) > 1) return `${age(event.lastTimestamp)} (x${event.count} over ${first})`;
  return event.lastTimestamp === undefined || event.lastTimestamp === null ? first : age(event.lastTimestamp);
}
