import { refusePattern } from './syntax.ts';

/** Sets of code points: RE2's named classes, and what may stand in brackets. */

export type CodePoints = (codePoint: number) => boolean;

export const not =
  (set: CodePoints): CodePoints =>
  (point) =>
    !set(point);

export const between =
  (low: number, high: number): CodePoints =>
  (point) =>
    point >= low && point <= high;

export const exactly =
  (own: number): CodePoints =>
  (point) =>
    point === own;

export const anyOf =
  (sets: readonly CodePoints[]): CodePoints =>
  (point) =>
    sets.some((set) => set(point));

const digit = between(48, 57);
const lower = between(97, 122);
const upper = between(65, 90);
const alpha = anyOf([lower, upper]);
const word = anyOf([alpha, digit, exactly(95)]);
const space: CodePoints = (point) => point === 32 || point === 9 || point === 10 || point === 12 || point === 13;

export const isWord = word;

const perl: Readonly<Record<string, CodePoints>> = {
  d: digit,
  D: not(digit),
  s: space,
  S: not(space),
  w: word,
  W: not(word),
};

const posix: Readonly<Record<string, CodePoints>> = {
  alnum: anyOf([alpha, digit]),
  alpha,
  ascii: between(0, 127),
  blank: anyOf([exactly(9), exactly(32)]),
  cntrl: anyOf([between(0, 31), exactly(127)]),
  digit,
  graph: between(33, 126),
  lower,
  print: between(32, 126),
  punct: anyOf([between(33, 47), between(58, 64), between(91, 96), between(123, 126)]),
  space: anyOf([space, exactly(11)]),
  upper,
  word,
  xdigit: anyOf([digit, between(65, 70), between(97, 102)]),
};

/** `\d` and its like; undefined: the letter names none. */
export const perlClass = (letter: string): CodePoints | undefined => perl[letter];

/** `[:alpha:]` and `[:^alpha:]`, by what stands between the colons. */
export function posixClass(name: string, part: string): CodePoints {
  const set = posix[name.replace(/^\^/, '')];
  if (set === undefined) return refusePattern('invalid character class range', part);
  return name.startsWith('^') ? not(set) : set;
}

/** `\pL`, `\p{Greek}`: a general category or a script. One code point at a time is all that is asked. */
export function unicodeClass(name: string, part: string): CodePoints {
  if (name === 'Any') return () => true;
  for (const property of [`\\p{gc=${name}}`, `\\p{sc=${name}}`]) {
    try {
      const pattern = new RegExp(`^${property}$`, 'u');
      return (point) => pattern.test(String.fromCodePoint(point));
    } catch {
      // Not a name of that property.
    }
  }
  return refusePattern('invalid character class range', part);
}

/** The set with both cases of its letters. */
export const foldCase =
  (set: CodePoints): CodePoints =>
  (point) => {
    if (set(point)) return true;
    const text = String.fromCodePoint(point);
    return set(text.toLowerCase().codePointAt(0)!) || set(text.toUpperCase().codePointAt(0)!);
  };
