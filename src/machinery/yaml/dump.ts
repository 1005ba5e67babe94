import type { Json, JsonObject } from '../meta.ts';
import { isObject } from '../patch/merge-patch.ts';
import { looksLikeOther } from './resolve.ts';

/** Lines of text are folded at the first space beyond it, as Go's writer does. */
const bestWidth = 80;

/**
 * YAML as kubectl prints it: keys sorted, lists not indented, strings quoted only where they must be, several lines
 * as a literal block.
 */
export function dumpYaml(value: Json): string {
  const writer = new Writer();
  writer.node(value, { indent: -2, inSequence: false });
  return writer.text();
}

interface Place {
  /** Columns before the node's collection; a scalar's further lines stand two further right. */
  readonly indent: number;
  /** The node follows `- ` on its line. */
  readonly inSequence: boolean;
}

class Writer {
  #out = '';
  #column = 0;

  text(): string {
    return this.#out.endsWith('\n') ? this.#out : `${this.#out}\n`;
  }

  #write(text: string): void {
    this.#out += text;
    this.#column += [...text].length;
  }

  #line(indent: number): void {
    if (this.#out !== '' && !this.#out.endsWith('\n')) this.#out += '\n';
    this.#out += ' '.repeat(Math.max(indent, 0));
    this.#column = Math.max(indent, 0);
  }

  node(value: Json, place: Place): void {
    if (Array.isArray(value)) this.#sequence(value, place);
    else if (isObject(value)) this.#mapping(value, place);
    else this.#scalar(value, place.indent + 2);
  }

  #mapping(value: JsonObject, { indent, inSequence }: Place): void {
    const keys = Object.keys(value)
      .filter((key) => value[key] !== undefined)
      .sort(byCodePoint);
    if (keys.length === 0) {
      this.#write('{}');
      return;
    }
    const inner = indent + 2;
    keys.forEach((key, index) => {
      if (index > 0 || !inSequence) this.#line(inner);
      this.#write(`${keyText(key)}:`);
      const member = value[key]!;
      const isBlock = typeof member === 'object' && member !== null && Object.keys(member).length > 0;
      if (!isBlock) this.#write(' ');
      // A list stands as far left as the key that holds it.
      this.node(member, { indent: Array.isArray(member) ? inner - 2 : inner, inSequence: false });
    });
  }

  #sequence(value: readonly Json[], { indent, inSequence }: Place): void {
    if (value.length === 0) {
      this.#write('[]');
      return;
    }
    const inner = indent + 2;
    value.forEach((item, index) => {
      if (index > 0 || !inSequence) this.#line(inner);
      this.#write('- ');
      this.node(item, { indent: inner, inSequence: true });
    });
  }

  #scalar(value: Json, indent: number): void {
    if (typeof value !== 'string') {
      this.#write(numberText(value));
      return;
    }
    const style = styleOf(value, false);
    // At the root an indicator of indentation has no column to count from.
    const isCountable = indent > 0 || !/^[ \n]/.test(value);
    if (style === 'literal' && isCountable) this.#literal(value, Math.max(indent, 2));
    else if (style === 'plain') this.#folded(value, indent, '');
    else if (style === 'single') this.#folded(value.replaceAll("'", "''"), indent, "'");
    else this.#folded(escaped(value), indent, '"');
  }

  /** Text that goes on in the next line at the first single space beyond the best width. */
  #folded(text: string, indent: number, quote: string): void {
    this.#write(quote);
    const words = text.split(/(?<=[^ ]) (?=[^ ])/);
    words.forEach((word, index) => {
      if (index > 0) {
        if (this.#column > bestWidth) this.#line(indent);
        else this.#write(' ');
      }
      this.#write(word);
    });
    this.#write(quote);
  }

  #literal(text: string, indent: number): void {
    const indicator = /^[ \n]/.test(text) ? '2' : '';
    const chomping = text.endsWith('\n') ? (/(^|\n)\n$/.test(text) ? '+' : '') : '-';
    this.#write(`|${indicator}${chomping}`);
    const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
    for (const line of lines) this.#out += line === '' ? '\n' : `\n${' '.repeat(indent)}${line}`;
    this.#out += '\n';
    this.#column = 0;
  }
}

function byCodePoint(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function keyText(key: string): string {
  const style = styleOf(key, true);
  if (style === 'plain') return key;
  return style === 'single' ? `'${key.replaceAll("'", "''")}'` : `"${escaped(key)}"`;
}

function numberText(value: Exclude<Json, string>): string {
  if (typeof value !== 'number' || (Number.isInteger(value) && Math.abs(value) < 2 ** 64)) return String(value);
  if (Number.isNaN(value)) return '.nan';
  if (!Number.isFinite(value)) return String(value);
  const [mantissa = '', exponent = '0'] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power >= -4 && power < goPlainDigits) return String(value);
  return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}

/** Fractions of a million and more have an exponent, as Go's shortest format writes them. */
const goPlainDigits = 6;

type Style = 'plain' | 'single' | 'double' | 'literal';

/** Not printable, or of a kind that only an escape shows. */
const special = /[^\t\n\x20-\x7e\u0085\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]/u;

function styleOf(text: string, isKey: boolean): Style {
  if (text.includes('\n') || text.includes('\u0085') || text.includes('\u2028')) {
    const isBlock = !isKey && !special.test(text) && !/ (\n|$)/.test(text) && text.includes('\n');
    return isBlock ? 'literal' : 'double';
  }
  if (looksLikeOther(text)) return 'double';
  if (special.test(text) || text.includes('\t')) return 'double';
  return isPlain(text) ? 'plain' : 'single';
}

function isPlain(text: string): boolean {
  if (/^[\s#,[\]{}&*!|>'"%@`]/.test(text) || / $/.test(text)) return false;
  if (/^[-?:](\s|$)/.test(text) || /:(\s|$)/.test(text) || /\s#/.test(text)) return false;
  return !/^(---|\.\.\.)/.test(text);
}

const shortEscapes: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\x1b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\u0085': '\\N',
  '\u2028': '\\L',
  '\u2029': '\\P',
};

function escaped(text: string): string {
  let result = '';
  for (const character of text) {
    const short = shortEscapes[character];
    if (short !== undefined) result += short;
    else if (!special.test(character)) result += character;
    else {
      const code = character.codePointAt(0)!.toString(16).toUpperCase();
      result += code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u${code.padStart(4, '0')}`;
    }
  }
  return result;
}
