import {
  anyOf,
  between,
  type CodePoints,
  exactly,
  foldCase,
  not,
  perlClass,
  posixClass,
  unicodeClass,
} from './classes.ts';
import { maxRepeat, type Pattern, refusePattern } from './syntax.ts';

interface Flags {
  readonly ignoreCase: boolean;
  readonly multiLine: boolean;
  readonly dotAll: boolean;
  readonly ungreedy: boolean;
}

const noFlags: Flags = { ignoreCase: false, multiLine: false, dotAll: false, ungreedy: false };
const maxDepth = 1000;
const newline = exactly(10);

/** @throws PatternError for what RE2 does not take. */
export function parsePattern(text: string): Pattern {
  return new PatternParser(text).whole();
}

class PatternParser {
  readonly #text: string;
  #at = 0;
  #flags = noFlags;
  #groups = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Pattern {
    const pattern = this.#choice();
    if (this.#at < this.#text.length) refusePattern('unexpected )', this.#text);
    return pattern;
  }

  #rest(length?: number): string {
    return this.#text.slice(this.#at, length === undefined ? undefined : this.#at + length);
  }

  #accept(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #take(pattern: RegExp): RegExpExecArray | undefined {
    const match = pattern.exec(this.#rest());
    if (match === null) return undefined;
    this.#at += match[0].length;
    return match;
  }

  #codePoint(): number {
    const point = this.#text.codePointAt(this.#at)!;
    this.#at += point > 0xffff ? 2 : 1;
    return point;
  }

  #choice(): Pattern {
    if (++this.#depth > maxDepth) refusePattern('expression nests too deeply', this.#text);
    const parts = [this.#sequence()];
    while (this.#accept('|')) parts.push(this.#sequence());
    this.#depth--;
    return parts.length === 1 ? parts[0]! : { kind: 'choice', parts };
  }

  #sequence(): Pattern {
    const parts: Pattern[] = [];
    while (this.#at < this.#text.length && !/^[|)]/.test(this.#rest(1))) {
      const quoted = this.#take(/^\\Q([\s\S]*?)(?:\\E|$)/);
      if (quoted === undefined) parts.push(this.#repeated(this.#atom()));
      else for (const character of quoted[1]!) parts.push(this.#set(exactly(character.codePointAt(0)!)));
    }
    return parts.length === 1 ? parts[0]! : parts.length === 0 ? { kind: 'empty' } : { kind: 'sequence', parts };
  }

  #repeated(atom: Pattern): Pattern {
    let part = atom;
    let previous = '';
    for (;;) {
      const match = this.#take(/^(?:([*+?])|\{(\d+)(,?)(\d*)\})(\??)/);
      if (match === undefined) return part;
      const [whole, sign, low = '', comma, high = '', lazy] = match;
      if (previous !== '') refusePattern('invalid nested repetition operator', previous + whole);
      previous = whole;
      const min = sign === undefined ? Number(low) : sign === '+' ? 1 : 0;
      const max =
        sign === undefined
          ? comma === ''
            ? min
            : high === ''
              ? Number.POSITIVE_INFINITY
              : Number(high)
          : sign === '?'
            ? 1
            : Number.POSITIVE_INFINITY;
      const isTooMany = min > maxRepeat || (max > maxRepeat && max !== Number.POSITIVE_INFINITY) || max < min;
      if (isTooMany) refusePattern('invalid repeat count', whole);
      part = { kind: 'repeat', part, min, max, greedy: (lazy === '') !== this.#flags.ungreedy };
    }
  }

  #set(set: CodePoints): Pattern {
    return { kind: 'set', accepts: this.#flags.ignoreCase ? foldCase(set) : set };
  }

  #atom(): Pattern {
    const rest = this.#rest(1);
    switch (rest) {
      case '(':
        return this.#group();
      case '[':
        return this.#set(this.#brackets());
      case '\\':
        return this.#escape();
      case '*':
      case '+':
      case '?':
        return refusePattern('missing argument to repetition operator', rest);
    }
    if (this.#accept('.')) return { kind: 'set', accepts: this.#flags.dotAll ? () => true : not(newline) };
    if (this.#accept('^')) return { kind: 'assertion', of: this.#flags.multiLine ? 'lineStart' : 'textStart' };
    if (this.#accept('$')) return { kind: 'assertion', of: this.#flags.multiLine ? 'lineEnd' : 'textEnd' };
    return this.#set(exactly(this.#codePoint()));
  }

  #group(): Pattern {
    const outer = this.#flags;
    const start = this.#at;
    this.#at++;
    let isCapture = true;
    if (this.#accept('?')) {
      isCapture = this.#take(/^P?<[A-Za-z0-9_]+>/) !== undefined;
      if (!isCapture) {
        const match = this.#take(/^([imsU]*)(-[imsU]+)?([:)])/);
        if (match === undefined) return this.#badGroup(start);
        this.#setFlags(match[1]!, true);
        this.#setFlags(match[2] ?? '', false);
        // `(?i)` holds until the end of the group around it.
        if (match[3] === ')') return { kind: 'empty' };
      }
    }
    const index = isCapture ? ++this.#groups : 0;
    const part = this.#choice();
    if (!this.#accept(')')) refusePattern('missing closing )', this.#text);
    this.#flags = outer;
    return isCapture ? { kind: 'group', part, index } : part;
  }

  #badGroup(start: number): never {
    const rest = this.#text.slice(start);
    if (!/^\(\?P?</.test(rest)) return refusePattern('invalid or unsupported Perl syntax', rest.slice(0, 3));
    const end = rest.indexOf('>');
    return refusePattern('invalid named capture', end < 0 ? rest : rest.slice(0, end + 1));
  }

  #setFlags(letters: string, on: boolean): void {
    this.#flags = {
      ignoreCase: letters.includes('i') ? on : this.#flags.ignoreCase,
      multiLine: letters.includes('m') ? on : this.#flags.multiLine,
      dotAll: letters.includes('s') ? on : this.#flags.dotAll,
      ungreedy: letters.includes('U') ? on : this.#flags.ungreedy,
    };
  }

  #escape(): Pattern {
    const assertion = this.#take(/^\\([AzbB])/);
    if (assertion !== undefined) {
      const of = { A: 'textStart', z: 'textEnd', b: 'wordBoundary', B: 'noWordBoundary' } as const;
      return { kind: 'assertion', of: of[assertion[1] as keyof typeof of] };
    }
    return this.#set(this.#escapedClass() ?? exactly(this.#escapedPoint()));
  }

  /** `\d`, `\p{Greek}`, `\PL`. Undefined: the escape stands for one code point. */
  #escapedClass(): CodePoints | undefined {
    const named = perlClass(this.#rest(2).slice(1));
    if (named !== undefined) {
      this.#at += 2;
      return named;
    }
    const match = this.#take(/^\\([pP])(?:\{(\^?)([^}]*)\}|(.))/u);
    if (match === undefined) return undefined;
    const set = unicodeClass(match[3] ?? match[4]!, match[0]);
    return (match[1] === 'P') !== (match[2] === '^') ? not(set) : set;
  }

  #escapedPoint(): number {
    const match = this.#take(/^\\(?:x\{([0-9a-fA-F]+)\}|x([0-9a-fA-F]{2})|([0-7]{1,3})|([aftnrv])|([^a-zA-Z0-9]))/u);
    if (match === undefined) {
      return this.#rest().length === 1
        ? refusePattern('trailing backslash at end of expression', '')
        : refusePattern('invalid escape sequence', this.#rest(2));
    }
    const [whole, long, short, octal, letter, mark] = match;
    if (octal !== undefined) {
      const isBackReference = octal.length === 1 && octal !== '0';
      return isBackReference ? refusePattern('invalid escape sequence', whole) : Number.parseInt(octal, 8);
    }
    if (letter !== undefined) return [7, 12, 9, 10, 13, 11]['aftnrv'.indexOf(letter)]!;
    if (mark !== undefined) return mark.codePointAt(0)!;
    const point = Number.parseInt(long ?? short!, 16);
    return point > 0x10ffff ? refusePattern('invalid escape sequence', whole) : point;
  }

  #brackets(): CodePoints {
    const start = this.#at;
    this.#at++;
    const isNegated = this.#accept('^');
    const sets: CodePoints[] = [];
    for (let isFirst = true; isFirst || !this.#accept(']'); isFirst = false) {
      if (this.#at >= this.#text.length) return refusePattern('missing closing ]', this.#text.slice(start));
      const named = this.#take(/^\[:(\^?[a-z]*):\]/);
      const set = named === undefined ? undefined : posixClass(named[1]!, named[0]);
      sets.push(set ?? (this.#rest(1) === '\\' ? this.#escapedClass() : undefined) ?? this.#range());
    }
    const all = anyOf(sets);
    return isNegated ? not(all) : all;
  }

  #range(): CodePoints {
    const start = this.#at;
    const low = this.#bracketPoint();
    const isRange = this.#rest(1) === '-' && this.#rest(2) !== '-]' && this.#rest(2).length === 2;
    if (!isRange) return exactly(low);
    this.#at++;
    const high = this.#bracketPoint();
    return high < low
      ? refusePattern('invalid character class range', this.#text.slice(start, this.#at))
      : between(low, high);
  }

  #bracketPoint(): number {
    return this.#rest(1) === '\\' ? this.#escapedPoint() : this.#codePoint();
  }
}
