import { fail } from './value.ts';

/** A span of time in nanoseconds, within 64 bits as Go's. */
export class Duration {
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

/** An instant between the years 1 and 9999, in nanoseconds since 1970 (UTC). */
export class Timestamp {
  readonly nanos: bigint;
  /** Of the zone in which it was written, and is written again; it means nothing else. */
  readonly offsetSeconds: number;

  constructor(nanos: bigint, offsetSeconds = 0) {
    this.nanos = nanos;
    this.offsetSeconds = offsetSeconds;
  }

  get ms(): number {
    return Number(floorDivide(this.nanos, 1_000_000n));
  }
}

const nanosPerSecond = 1_000_000_000n;
const earliest = -62_135_596_800n * nanosPerSecond;
const latest = 253_402_300_800n * nanosPerSecond - 1n;
const longest = 2n ** 63n - 1n;

export const floorDivide = (a: bigint, b: bigint): bigint => (a >= 0n ? a / b : -((-a + b - 1n) / b));

/** @throws Failure outside of the range that timestamps have. */
export function timestampOf(nanos: bigint, offsetSeconds = 0): Timestamp {
  return nanos < earliest || nanos > latest ? fail('timestamp overflow') : new Timestamp(nanos, offsetSeconds);
}

/** Whether a timestamp can be so many seconds after 1970. */
export const timestampInRange = (seconds: bigint): boolean =>
  seconds * nanosPerSecond >= earliest && seconds * nanosPerSecond <= latest;

/** @throws Failure outside of the range that durations have. */
export function durationOf(nanos: bigint): Duration {
  return nanos < -longest - 1n || nanos > longest ? fail('integer overflow') : new Duration(nanos);
}

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:[.,](\d+))?([Zz]|[+-]\d\d:\d\d)$/;

/** Reads RFC 3339 with up to nine digits of a second. Undefined: it is none, or out of range. */
export function parseTimestamp(text: string): Timestamp | undefined {
  const match = rfc3339.exec(text);
  if (match === null) return undefined;
  const [, year = '', month = '', day = '', hour = '', minute = '', second = '', fraction = '', zone = ''] = match;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const seconds = BigInt(date.getTime() / 1000) + BigInt(Number(hour) * 3600 + Number(minute) * 60 + Number(second));
  const nanos = BigInt(fraction.slice(0, 9).padEnd(9, '0'));
  const offset = offsetSeconds(zone) ?? 0;
  const total = (seconds - BigInt(offset)) * nanosPerSecond + nanos;
  return total < earliest || total > latest ? undefined : new Timestamp(total, offset);
}

function offsetSeconds(zone: string): number | undefined {
  const match = /^([+-]?)(\d\d):(\d\d)$/.exec(zone);
  if (match === null) return undefined;
  const seconds = Number(match[2]) * 3600 + Number(match[3]) * 60;
  return match[1] === '-' ? -seconds : seconds;
}

/** RFC 3339 in the timestamp's zone, with as many digits of the second as are needed. */
export function formatTimestamp({ nanos: instant, offsetSeconds: offset }: Timestamp): string {
  const nanos = instant + BigInt(offset) * nanosPerSecond;
  const seconds = floorDivide(nanos, nanosPerSecond);
  const rest = nanos - seconds * nanosPerSecond;
  const date = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  const fraction = rest === 0n ? '' : `.${rest.toString().padStart(9, '0').replace(/0+$/, '')}`;
  if (offset === 0) return `${date}${fraction}Z`;
  const minutes = Math.abs(offset) / 60;
  const zone = [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':');
  return `${date}${fraction}${offset < 0 ? '-' : '+'}${zone}`;
}

const unitNanos: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: nanosPerSecond,
  m: 60n * nanosPerSecond,
  h: 3600n * nanosPerSecond,
};

/** Reads a duration as Go writes it: `1h30m`, `-1.5s`, `0`. Undefined: it is none, or out of range. */
export function parseDuration(text: string): Duration | undefined {
  const match = /^([+-]?)(0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/.exec(text);
  if (match === null) return undefined;
  let total = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of match[2]!.matchAll(/(\d*)\.?(\d*)(ns|us|µs|μs|ms|s|m|h)/g)) {
    const size = unitNanos[unit]!;
    total += BigInt(whole === '' ? '0' : whole) * size;
    if (fraction !== '') total += (BigInt(fraction) * size) / 10n ** BigInt(fraction.length);
  }
  if (match[1] === '-') total = -total;
  return total < -longest - 1n || total > longest ? undefined : new Duration(total);
}

/** Seconds with as many decimals as are needed: `90s`, `1.5s`. */
export function formatDuration({ nanos }: Duration): string {
  const size = nanos < 0n ? -nanos : nanos;
  const rest = size % nanosPerSecond;
  const fraction = rest === 0n ? '' : `.${rest.toString().padStart(9, '0').replace(/0+$/, '')}`;
  return `${nanos < 0n ? '-' : ''}${size / nanosPerSecond}${fraction}s`;
}

/** The parts of an instant on the clocks of a zone. Months and days of the year count from 0, Sunday is 0. */
export interface CalendarTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly dayOfWeek: number;
  readonly dayOfYear: number;
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
  readonly milliseconds: number;
}

/** @throws Failure when there is no such zone. */
export function calendarTime(timestamp: Timestamp, zone: string): CalendarTime {
  const { ms } = timestamp;
  const local = new Date(ms + zoneOffsetMs(ms, zone));
  const year = local.getUTCFullYear();
  const newYear = new Date(0);
  newYear.setUTCFullYear(year, 0, 1);
  return {
    year,
    month: local.getUTCMonth(),
    day: local.getUTCDate(),
    dayOfWeek: local.getUTCDay(),
    dayOfYear: Math.floor((local.getTime() - newYear.getTime()) / 86_400_000),
    hours: local.getUTCHours(),
    minutes: local.getUTCMinutes(),
    seconds: local.getUTCSeconds(),
    milliseconds: local.getUTCMilliseconds(),
  };
}

/** Formatters by zone: making one is slow. Zones are few, but their names come from users. */
const formatters = new Map<string, Intl.DateTimeFormat>();
const maxFormatters = 64;

function zoneOffsetMs(ms: number, zone: string): number {
  if (zone === '' || zone === 'UTC') return 0;
  const fixed = offsetSeconds(zone);
  if (fixed !== undefined) return fixed * 1000;
  let formatter = formatters.get(zone);
  if (formatter === undefined) {
    try {
      formatter = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
    } catch {
      return fail(`unknown time zone ${zone}`);
    }
    if (formatters.size >= maxFormatters) formatters.clear();
    formatters.set(zone, formatter);
  }
  const name = formatter.formatToParts(ms).find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT';
  const match = /^GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(name);
  const seconds = Number(match?.[2] ?? 0) * 3600 + Number(match?.[3] ?? 0) * 60 + Number(match?.[4] ?? 0);
  return (match?.[1] === '-' ? -seconds : seconds) * 1000;
}
