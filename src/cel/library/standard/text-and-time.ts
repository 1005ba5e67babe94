import { matchesPattern, searchesText, traversesPrefix } from '../../cost/calls.ts';
import { matchesText } from '../../regex/pattern.ts';
import {
  boolType,
  bytesType,
  type CelType,
  durationType,
  intType,
  listType,
  mapType,
  stringType,
  timestampType,
  typeParameter,
} from '../../types/types.ts';
import { toInteger } from '../../values/integer.ts';
import { codePointLength } from '../../values/strings.ts';
import { type CalendarTime, calendarTime, Duration, type Timestamp } from '../../values/time.ts';
import { ListValue, MapValue, noSuchOverload, type Value } from '../../values/value.ts';
import { costing, global, member } from '../define.ts';
import type { Overload } from '../library.ts';

function size(value: Value): number {
  if (typeof value === 'string') return codePointLength(value);
  if (value instanceof ListValue || value instanceof MapValue) return value.size;
  return value instanceof Uint8Array ? value.length : noSuchOverload();
}

const sized: readonly (readonly [string, CelType])[] = [
  ['bytes', bytesType],
  ['list', listType(typeParameter('A'))],
  ['map', mapType(typeParameter('A'), typeParameter('B'))],
  ['string', stringType],
];

const sizes: readonly Overload[] = sized.flatMap(([name, type]) => [
  global('size', `size_${name}`, [type], intType, size),
  member('size', `${name}_size`, [type], intType, size),
]);

const twoTexts = [stringType, stringType];

const texts: readonly Overload[] = [
  costing(
    member('contains', 'contains_string', twoTexts, boolType, (text: string, part: string) => text.includes(part)),
    searchesText,
  ),
  costing(
    member('endsWith', 'ends_with_string', twoTexts, boolType, (text: string, end: string) => text.endsWith(end)),
    traversesPrefix,
  ),
  costing(
    member('startsWith', 'starts_with_string', twoTexts, boolType, (text: string, start: string) =>
      text.startsWith(start),
    ),
    traversesPrefix,
  ),
  global('matches', 'matches', twoTexts, boolType, matchesText),
  costing(member('matches', 'matches_string', twoTexts, boolType, matchesText), matchesPattern),
];

const hour = 3_600_000_000_000n;
const second = 1_000_000_000n;

/** Function, the middle of its overload ids, the part of a date, and what it is of a duration. */
const timeParts: readonly (readonly [string, string, (time: CalendarTime) => number, ((nanos: bigint) => bigint)?])[] =
  [
    ['getFullYear', 'year', ({ year }) => year],
    ['getMonth', 'month', ({ month }) => month],
    ['getDayOfYear', 'day_of_year', ({ dayOfYear }) => dayOfYear],
    ['getDayOfMonth', 'day_of_month', ({ day }) => day - 1],
    ['getDate', 'day_of_month_1_based', ({ day }) => day],
    ['getDayOfWeek', 'day_of_week', ({ dayOfWeek }) => dayOfWeek],
    ['getHours', 'hours', ({ hours }) => hours, (nanos) => nanos / hour],
    ['getMinutes', 'minutes', ({ minutes }) => minutes, (nanos) => nanos / (60n * second)],
    ['getSeconds', 'seconds', ({ seconds }) => seconds, (nanos) => nanos / second],
    ['getMilliseconds', 'milliseconds', ({ milliseconds }) => milliseconds, (nanos) => nanos / 1_000_000n],
  ];

const times: readonly Overload[] = timeParts.flatMap(([name, id, ofDate, ofDuration]) => {
  const read = (time: Timestamp | Duration, zone = 'UTC'): Value =>
    time instanceof Duration ? toInteger(ofDuration?.(time.nanos) ?? 0n) : ofDate(calendarTime(time, zone));
  return [
    member(name, `timestamp_to_${id}`, [timestampType], intType, read),
    member(name, `timestamp_to_${id}_with_tz`, [timestampType, stringType], intType, read),
    ...(ofDuration === undefined ? [] : [member(name, `duration_to_${id}`, [durationType], intType, read)]),
  ];
});

export const textAndTime: readonly Overload[] = [...sizes, ...texts, ...times];
