import { fixedDecimals, formatter, refuseFormat } from '../../library/format.ts';
import type { Library } from '../../library/library.ts';
import { formatDouble } from '../../library/standard/double-text.ts';
import { stringsLibrary } from '../../library/strings.ts';
import { isInteger } from '../../values/integer.ts';
import { compareStrings } from '../../values/strings.ts';
import { Duration, formatDuration, formatTimestamp, Timestamp } from '../../values/time.ts';
import { Double, ListValue, MapValue, TypeValue, Uint, type Value } from '../../values/value.ts';

/** Version 2 of cel-go's extended strings: `format` writes numbers as a reader of English expects them. */

const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹';

function special(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN';
  return Number.isFinite(value) ? undefined : `${value < 0 ? '-' : ''}∞`;
}

/** `1,234.50` */
function fixed(value: number, precision: number): string {
  const [whole = '', fraction] = fixedDecimals(value, precision).split('.');
  const grouped = whole.replace(/\d(?=(?:\d{3})+$)/g, '$&,');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** `1.234500×10⁰³` */
function scientific(value: number, precision: number): string {
  const [mantissa = '', exponent = ''] = value.toExponential(precision).split('e');
  const power = exponent.replace(/[+-]/, '').padStart(2, '0');
  const raised = [...power].map((digit) => superscripts[Number(digit)]).join('');
  return `${mantissa}×10${exponent.startsWith('-') ? '⁻' : ''}${raised}`;
}

function text(value: Value): string {
  if (typeof value === 'string') return value;
  if (value instanceof Double) return formatDouble(value.value);
  if (value instanceof Duration) return formatDuration(value);
  if (value instanceof Timestamp) return formatTimestamp(value);
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  return within(value);
}

/** Inside of lists and maps values look as they do in an expression. */
function within(value: Value): string {
  if (value === null || typeof value === 'boolean' || isInteger(value)) return String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (value instanceof Double) return special(value.value) ?? fixed(value.value, 6);
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Uint8Array) return `b${JSON.stringify(new TextDecoder().decode(value))}`;
  if (value instanceof Timestamp) return `timestamp("${formatTimestamp(value)}")`;
  if (value instanceof Duration) return `duration("${formatDuration(value)}")`;
  if (value instanceof TypeValue) return value.type.name;
  if (value instanceof ListValue) return `[${[...value].map(within).join(', ')}]`;
  if (value instanceof MapValue) {
    const entries = [...value.keys()].map((key) => [within(key), within(value.get(key)!)] as const);
    entries.sort(([a], [b]) => compareStrings(a, b));
    return `{${entries.map(([key, own]) => `${key}:${own}`).join(', ')}}`;
  }
  const takes = 'strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps';
  return refuseFormat(`string clause can only be used on ${takes}`, value);
}

const format = formatter({ text, fixed, scientific });

export const kubernetesStrings: Library = {
  ...stringsLibrary,
  overloads: (stringsLibrary.overloads ?? []).map((overload) =>
    overload.id === 'string_format' ? { ...overload, evaluate: format } : overload,
  ),
};
