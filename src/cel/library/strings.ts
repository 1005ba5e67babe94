import type { CallCost } from '../cost/calls.ts';
import { addRanges, exactly, multiplyRanges, scaleRange } from '../cost/range.ts';
import { sizeOf, traversal, traverse } from '../cost/sizes.ts';
import { dynType, intType, listType, stringType } from '../types/types.ts';
import { ArrayList } from '../values/collections.ts';
import { isBasic } from '../values/strings.ts';
import { fail, type ListValue } from '../values/value.ts';
import { costing, global, member } from './define.ts';
import { formatText } from './format.ts';
import type { Library, Overload } from './library.ts';

/** cel-go's extended strings. Indexes count code points. */

const points = (text: string): readonly string[] => (isBasic(text) ? text.split('') : [...text]);
const outOfRange = (index: number): never => fail(`index out of range: ${index}`);

function charAt(text: string, index: number): string {
  const characters = points(text);
  return index < 0 || index > characters.length ? outOfRange(index) : (characters[index] ?? '');
}

function indexOf(text: string, part: string, offset = 0): number {
  const size = sizeOf(text);
  if (offset < 0) return outOfRange(offset);
  if (part === '') return Math.min(offset, size);
  if (offset >= size) return -1;
  const rest = points(text).slice(offset).join('');
  const found = rest.indexOf(part);
  return found < 0 ? -1 : offset + sizeOf(rest.slice(0, found));
}

function lastIndexOf(text: string, part: string, offset?: number): number {
  const size = sizeOf(text);
  if (offset !== undefined && offset < 0) return outOfRange(offset);
  if (part === '') return Math.min(offset ?? size, size);
  if (offset !== undefined && offset >= size) return -1;
  const length = sizeOf(part);
  const head =
    offset === undefined
      ? text
      : points(text)
          .slice(0, offset + length)
          .join('');
  const found = head.lastIndexOf(part);
  return found < 0 ? -1 : sizeOf(head.slice(0, found));
}

const replace = (text: string, old: string, by: string, limit = -1): string => {
  if (limit < 0) return text.replaceAll(old, () => by);
  let left = limit;
  return text.replaceAll(old, (found) => (left-- > 0 ? by : found));
};

function split(text: string, separator: string, limit = -1): ListValue {
  if (limit === 0) return new ArrayList([]);
  const parts = separator === '' ? [...text] : text.split(separator);
  if (limit < 0 || parts.length <= limit) return new ArrayList(parts);
  return new ArrayList([...parts.slice(0, limit - 1), parts.slice(limit - 1).join(separator)]);
}

function substring(text: string, start: number, end?: number): string {
  const characters = points(text);
  const stop = end ?? characters.length;
  if (end !== undefined && start > end) return fail(`invalid substring range. start: ${start}, end: ${end}`);
  if (start < 0 || start > characters.length) return outOfRange(start);
  if (stop < 0 || stop > characters.length) return outOfRange(stop);
  return characters.slice(start, stop).join('');
}

function join(list: ListValue, separator = ''): string {
  const texts: string[] = [];
  for (const item of list) texts.push(typeof item === 'string' ? item : fail('join: invalid input'));
  return texts.join(separator);
}

/** Unicode's white space, as Go's TrimSpace removes it. */
const trim = (text: string): string => text.replace(/^[\p{White_Space}\u0085]+|[\p{White_Space}\u0085]+$/gu, '');

const lowerAscii = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
const upperAscii = (text: string): string => text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());

const escapes: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

const quote = (text: string): string =>
  `"${text.toWellFormed().replace(/[\x07\b\f\n\r\t\v\\"]/g, (character) => escapes[character]!)}"`;

/** Goes through the text once and makes a new one of about the same size. */
const transforms: CallCost = {
  cost: ([text]) => traverse(text!),
  estimate: ([text]) => ({ cost: scaleRange(text!.size, traversal), resultSize: { min: 0, max: text!.size.max } }),
};

const searches: CallCost = {
  cost: ([text, part]) => Math.ceil(sizeOf(text!) * sizeOf(part!) * traversal) + 1,
  estimate: ([text, part]) => ({
    cost: addRanges(scaleRange(multiplyRanges(text!.size, part!.size), traversal), exactly(1)),
  }),
};

const replaces: CallCost = {
  cost: ([text], result) => traverse(text!) + traverse(result),
  estimate: ([text, , by]) => {
    const max = (text!.size.max + 1) * (by!.size.max + 1);
    const resultSize = { min: Math.min(text!.size.min, by!.size.min), max };
    return { cost: addRanges(scaleRange(text!.size, traversal), scaleRange(resultSize, traversal)), resultSize };
  },
};

const splits: CallCost = {
  cost: ([text]) => traverse(text!),
  estimate: ([text]) => ({ cost: scaleRange(text!.size, traversal), resultSize: { min: 0, max: text!.size.max } }),
};

const text = stringType;
const texts = listType(stringType);

const functions: readonly Overload[] = [
  costing(member('charAt', 'string_char_at_int', [text, intType], text, charAt), {
    cost: ([value]) => traverse(value!),
    estimate: ([value]) => ({ cost: scaleRange(value!.size, traversal), resultSize: { min: 0, max: 1 } }),
  }),
  costing(member('indexOf', 'string_index_of_string', [text, text], intType, indexOf), searches),
  costing(member('indexOf', 'string_index_of_string_int', [text, text, intType], intType, indexOf), searches),
  costing(member('lastIndexOf', 'string_last_index_of_string', [text, text], intType, lastIndexOf), searches),
  costing(
    member('lastIndexOf', 'string_last_index_of_string_int', [text, text, intType], intType, lastIndexOf),
    searches,
  ),
  costing(member('lowerAscii', 'string_lower_ascii', [text], text, lowerAscii), transforms),
  costing(member('upperAscii', 'string_upper_ascii', [text], text, upperAscii), transforms),
  costing(member('replace', 'string_replace_string_string', [text, text, text], text, replace), replaces),
  costing(member('replace', 'string_replace_string_string_int', [text, text, text, intType], text, replace), replaces),
  costing(member('split', 'string_split_string', [text, text], texts, split), splits),
  costing(member('split', 'string_split_string_int', [text, text, intType], texts, split), splits),
  costing(member('substring', 'string_substring_int', [text, intType], text, substring), transforms),
  costing(member('substring', 'string_substring_int_int', [text, intType, intType], text, substring), transforms),
  costing(member('trim', 'string_trim', [text], text, trim), transforms),
  costing(member('format', 'string_format', [text, listType(dynType)], text, formatText), {
    cost: ([value]) => traverse(value!),
    estimate: ([value]) => ({ cost: scaleRange(value!.size, traversal) }),
  }),
  costing(global('strings.quote', 'strings_quote', [text], text, quote), {
    cost: ([value]) => traverse(value!),
    estimate: ([value]) => ({
      cost: scaleRange(value!.size, traversal),
      resultSize: { min: value!.size.min + 2, max: value!.size.max * 2 + 2 },
    }),
  }),
  costing(member('join', 'list_join', [texts], text, join), { cost: (_args, result) => traverse(result) + 1 }),
  costing(member('join', 'list_join_string', [texts, text], text, join), {
    cost: (_args, result) => traverse(result) + 1,
  }),
];

export const stringsLibrary: Library = { name: 'cel.lib.ext.strings', overloads: functions };

/** What version 3 of the library adds. */
export const stringsReverse: Library = {
  name: 'cel.lib.ext.strings.reverse',
  overloads: [
    costing(
      member('reverse', 'string_reverse', [text], text, (value: string) => [...value].reverse().join('')),
      transforms,
    ),
  ],
};
