/** A schedule in cron's five fields, macros (`@daily`, `@every 1h`) included, in one time zone. */
export interface Schedule {
  /** The first time after `afterMs`, in milliseconds since 1970; undefined when there is none within five years. */
  next(afterMs: number): number | undefined;
}

interface Fields {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly weekdays: ReadonlySet<number>;
  /** Days of month and week are alternatives when both are restricted. */
  readonly eitherDay: boolean;
}

const macros: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};
const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const weekdayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const minuteMs = 60_000;
/** How far ahead a match is looked for: leap days come within it. */
const horizonMs = 5 * 366 * 24 * 60 * minuteMs;

/** Reads a schedule. Throws an Error that says what is wrong. */
export function parseSchedule(text: string, timeZone = 'UTC'): Schedule {
  const every = /^@every (.+)$/.exec(text.trim());
  if (every !== null) {
    const periodMs = Math.max(1000, durationMs(every[1]!));
    return { next: (afterMs) => Math.floor(afterMs / 1000) * 1000 + periodMs };
  }
  const fields = parseFields(macros[text.trim()] ?? text.trim());
  const zone = new Zone(timeZone);
  return { next: (afterMs) => nextMatch(fields, zone, afterMs) };
}

function parseFields(text: string): Fields {
  const parts = text.split(/\s+/);
  if (parts.length !== 5) throw new Error(`expected exactly 5 fields, found ${parts.length}: [${text}]`);
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = parts;
  const weekdays = new Set([...parseField(weekday, 0, 7, weekdayNames)].map((value) => value % 7));
  const isOpen = (field: string) => field.startsWith('*') || field.startsWith('?');
  return {
    minutes: parseField(minute, 0, 59, []),
    hours: parseField(hour, 0, 23, []),
    days: parseField(day, 1, 31, []),
    months: new Set([...parseField(month, 1, 12, ['', ...monthNames])]),
    weekdays,
    eitherDay: !isOpen(day) && !isOpen(weekday),
  };
}

function parseField(field: string, least: number, most: number, names: readonly string[]): ReadonlySet<number> {
  const values = new Set<number>();
  const number = (text: string): number => {
    const named = text === '' ? -1 : names.indexOf(text.toLowerCase());
    const value = named >= 0 ? named : /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) throw new Error(`${text} is not between ${least} and ${most} in ${field}`);
    return value;
  };
  for (const part of field.split(',')) {
    const [range = '', step] = part.split('/');
    const [first = '', last] = range.split('-');
    const isAll = first === '*' || first === '?';
    const from = isAll ? least : number(first);
    const to = isAll || (last === undefined && step !== undefined) ? most : number(last ?? first);
    const by = step === undefined ? 1 : Number(step);
    if (!(by >= 1) || from > to) throw new Error(`beginning of range after its end, or no step, in ${field}`);
    for (let value = from; value <= to; value += by) values.add(value);
  }
  return values;
}

/** Goes from month to day to hour to minute, so that a yearly schedule is found in a few hundred steps. */
function nextMatch(fields: Fields, zone: Zone, afterMs: number): number | undefined {
  let atMs = (Math.floor(afterMs / minuteMs) + 1) * minuteMs;
  const limitMs = afterMs + horizonMs;
  while (atMs <= limitMs) {
    const time = zone.parts(atMs);
    if (!fields.months.has(time.month) || !isDay(fields, time)) {
      // To the next midnight there: at most 25 hours away, and never past it when hours are added one by one near it.
      atMs += Math.max(1, (23 - time.hour) * 60 + (60 - time.minute) - 60) * minuteMs;
    } else if (!fields.hours.has(time.hour)) atMs += (60 - time.minute) * minuteMs;
    else if (!fields.minutes.has(time.minute)) atMs += minuteMs;
    else return atMs;
  }
  return undefined;
}

function isDay(fields: Fields, { day, weekday }: ZonedTime): boolean {
  const byDay = fields.days.has(day);
  const byWeekday = fields.weekdays.has(weekday);
  return fields.eitherDay ? byDay || byWeekday : byDay && byWeekday;
}

interface ZonedTime {
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
}

/** Wall-clock time somewhere. */
class Zone {
  readonly #format: Intl.DateTimeFormat | undefined;

  constructor(timeZone: string) {
    const options = { timeZone, hourCycle: 'h23', month: 'numeric', day: 'numeric' } as const;
    const isUtc = timeZone === 'UTC' || timeZone === '' || timeZone === 'Etc/UTC';
    this.#format = isUtc
      ? undefined
      : new Intl.DateTimeFormat('en-US', { ...options, weekday: 'short', hour: 'numeric', minute: 'numeric' });
  }

  parts(ms: number): ZonedTime {
    const date = new Date(ms);
    if (this.#format === undefined) {
      return {
        month: date.getUTCMonth() + 1,
        day: date.getUTCDate(),
        weekday: date.getUTCDay(),
        hour: date.getUTCHours(),
        minute: date.getUTCMinutes(),
      };
    }
    const parts = new Map(this.#format.formatToParts(date).map(({ type, value }) => [type, value]));
    return {
      month: Number(parts.get('month')),
      day: Number(parts.get('day')),
      weekday: weekdayNames.indexOf((parts.get('weekday') ?? '').toLowerCase()),
      hour: Number(parts.get('hour')),
      minute: Number(parts.get('minute')),
    };
  }
}

function durationMs(text: string): number {
  const units: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
  let total = 0;
  for (const [, amount = '', unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g))
    total += Number(amount) * units[unit]!;
  if (total <= 0) throw new Error(`failed to parse duration @every ${text}`);
  return total;
}
