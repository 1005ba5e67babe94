/** Times and durations as the API writes them, and as Go and kubectl read them. Instants are milliseconds since 1970 (UTC). */

const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:\d\d)$/;
const secondsLayout = '2006-01-02T15:04:05Z07:00';
const microLayout = '2006-01-02T15:04:05.000000Z07:00';

interface Instant {
  /** Whole seconds since 1970, in milliseconds. */
  readonly secondsMs: number;
  /** Digits after the decimal point, perhaps none. */
  readonly fraction: string;
}

function readInstant(text: string): Instant | undefined {
  const match = rfc3339.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', zone = 'Z'] = match;
  const date = new Date(0);
  const dayMs = date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  const isDate = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
  if (!isDate || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const seconds = (Number(hour) * 60 + Number(minute)) * 60 + Number(second);
  return { secondsMs: dayMs + seconds * 1000 - zoneMs(zone), fraction };
}

function zoneMs(zone: string): number {
  if (zone === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6));
  return (zone[0] === '-' ? -minutes : minutes) * 60_000;
}

/** A canonical one of a day that every month has. */
const plainTime = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/;

/** Milliseconds since 1970, or NaN when the text is not RFC 3339. */
export function parseTime(text: string): number {
  if (plainTime.test(text)) return Date.parse(text);
  const instant = readInstant(text);
  if (instant === undefined) return Number.NaN;
  return instant.fraction === '' ? instant.secondsMs : instant.secondsMs + Number(`0.${instant.fraction}`) * 1000;
}

/** `2026-01-31T12:00:00Z`: a `Time`, with the fraction cut off. */
export function formatTime(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second !== lastSecond.second) {
    lastSecond = { second, text: `${new Date(second * 1000).toISOString().slice(0, 19)}Z` };
  }
  return lastSecond.text;
}

/** Most times that are written are of the same second. */
let lastSecond = { second: 0, text: '1970-01-01T00:00:00Z' };

/** `2026-01-31T12:00:00.123000Z`: a `MicroTime`; a fraction of a millisecond is kept to the microsecond. */
export function formatMicroTime(ms: number): string {
  const micros = Math.floor(ms * 1000);
  const fraction = ((micros % 1_000_000) + 1_000_000) % 1_000_000;
  return `${formatTime(ms).slice(0, 19)}.${String(fraction).padStart(6, '0')}Z`;
}

/** Times that are canonical: an object brings the same ones with every write. */
const knownTimes = new Set<string>();
const maxKnownTimes = 4096;

/** The time in UTC with seconds. Throws an Error with Go's message when the text is no RFC 3339 time. */
export function canonicalTime(text: string): string {
  if (knownTimes.has(text)) return text;
  const instant = readInstant(text);
  if (instant === undefined) throw new Error(parseFailure(text, secondsLayout));
  const canonical = formatTime(instant.secondsMs);
  if (knownTimes.size >= maxKnownTimes) knownTimes.clear();
  knownTimes.add(canonical);
  return canonical;
}

/** The same, of micro times. */
const plainMicroTime = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z$/;

/** The time in UTC with six digits. Throws an Error with Go's message unless the text has exactly six. */
export function canonicalMicroTime(text: string): string {
  if (plainMicroTime.test(text)) return text;
  const instant = readInstant(text);
  if (instant === undefined || instant.fraction.length !== 6) throw new Error(parseFailure(text, microLayout));
  return `${canonicalTime(formatTime(instant.secondsMs)).slice(0, 19)}.${instant.fraction}Z`;
}

/** Names the first part of the layout that the text does not have. */
function parseFailure(text: string, layout: string): string {
  const parts: readonly (readonly [RegExp, string])[] = [
    [/^\d{4}/, '2006'],
    [/^-/, '-'],
    [/^\d\d/, '01'],
    [/^-/, '-'],
    [/^\d\d/, '02'],
    [/^T/, 'T'],
    [/^\d\d/, '15'],
    [/^:/, ':'],
    [/^\d\d/, '04'],
    [/^:/, ':'],
    [layout === microLayout ? /^\d\d/ : /^\d\d([.,]\d+)?/, '05'],
    ...(layout === microLayout ? ([[/^[.,]\d{6}/, '.000000']] as const) : []),
    [/^(Z|[+-]\d\d:\d\d)/, 'Z07:00'],
  ];
  let rest = text;
  for (const [pattern, name] of parts) {
    const match = pattern.exec(rest);
    if (match === null) {
      return `parsing time ${JSON.stringify(text)} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(name)}`;
    }
    rest = rest.slice(match[0].length);
  }
  const problem = rest === '' ? 'day out of range' : `extra text: ${JSON.stringify(rest)}`;
  return `parsing time ${JSON.stringify(text)}: ${problem}`;
}

const durationUnitsNs: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Reads a Go duration such as `1h30m` or `-1.5s` into milliseconds; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  const match = /^([+-]?)((?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/.exec(text);
  if (match === null) return undefined;
  let ns = 0;
  for (const [, amount, unit] of match[2]!.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    ns += Number(amount) * durationUnitsNs[unit!]!;
  }
  return (match[1] === '-' ? -ns : ns) / 1e6;
}

/** Writes milliseconds as Go does: `1h30m0s`, `1.5s`, `250ms`, `0s`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  const sign = ms < 0 ? '-' : '';
  const ns = Math.round(Math.abs(ms) * 1e6);
  if (ns < 1e3) return `${sign}${ns}ns`;
  if (ns < 1e6) return `${sign}${ns / 1e3}µs`;
  if (ns < 1e9) return `${sign}${ns / 1e6}ms`;
  const hours = Math.floor(ns / 3600e9);
  const minutes = Math.floor((ns % 3600e9) / 60e9);
  const seconds = (ns % 60e9) / 1e9;
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}s`;
  return minutes > 0 ? `${sign}${minutes}m${seconds}s` : `${sign}${seconds}s`;
}

/** An age as `kubectl get` prints it: about three significant units, from `5s` over `3h12m` to `2y40d`. */
export function formatAge(ms: number): string {
  const seconds = Math.trunc(ms / 1000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return withRest(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return withRest(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (hours < 24 * 8) return withRest(days, 'd', hours % 24, 'h');
  if (hours < 24 * 365 * 2) return `${days}d`;
  const years = Math.floor(hours / 24 / 365);
  return hours < 24 * 365 * 8 ? withRest(years, 'y', days % 365, 'd') : `${years}y`;
}

function withRest(amount: number, unit: string, rest: number, restUnit: string): string {
  return rest === 0 ? `${amount}${unit}` : `${amount}${unit}${rest}${restUnit}`;
}

/** The age of a timestamp, `<unknown>` when there is none. */
export function ageOf(timestamp: string | undefined, now: number): string {
  return timestamp === undefined ? '<unknown>' : formatAge(now - parseTime(timestamp));
}
