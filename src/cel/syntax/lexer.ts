import type { Value } from '../values/value.ts';
import { Double, Uint } from '../values/value.ts';
import { isUnsigned64, toInt64 } from './numbers.ts';
import { unescapeBytes, unescapeText } from './unescape.ts';

export interface Token {
  readonly kind: 'punctuation' | 'identifier' | 'escaped' | 'literal' | 'end';
  /** As it stands in the source; of an escaped identifier, what is between the marks. */
  readonly text: string;
  readonly value?: Value;
  /** A number, to which a minus in front belongs. Its value waits for it: the smallest int has no positive. */
  readonly number?: 'int' | 'double';
  /** Code units from the start of the source. */
  readonly offset: number;
}

/** What the source does wrong, at code units from its start. */
export class SyntaxIssue {
  readonly offset: number;
  readonly message: string;

  constructor(offset: number, message: string) {
    this.offset = offset;
    this.message = message;
  }
}

const blank = /(?:[\t\n\f\r ]|\/\/[^\n]*)+/y;
const escapeSequence = String.raw`\\(?:[abfnrtv\\?"'\x60]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2})`;
const quotedText = [
  `"""(?:${escapeSequence}|[^\\\\])*?"""`,
  `'''(?:${escapeSequence}|[^\\\\])*?'''`,
  `"(?:${escapeSequence}|[^"\\\\\\r\\n])*"`,
  `'(?:${escapeSequence}|[^'\\\\\\r\\n])*'`,
].join('|');
const rawText = String.raw`"""[\s\S]*?"""|'''[\s\S]*?'''|"[^"\r\n]*"|'[^'\r\n]*'`;
const text = new RegExp(`(?:[bB]?[rR](?:${rawText})|[rR][bB](?:${rawText})|[bB]?(?:${quotedText}))`, 'y');
const double = /\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?/y;
const integer = /0x[0-9a-fA-F]+|\d+/y;
const identifier = /[_a-zA-Z][_a-zA-Z0-9]*/y;
const escaped = /`[a-zA-Z0-9_./ -]+`/y;
const punctuation = /==|!=|<=|>=|&&|\|\||[-<>[\](){}.,!?:+*/%]/y;

function matchAt(pattern: RegExp, source: string, offset: number): string | undefined {
  pattern.lastIndex = offset;
  return pattern.exec(source)?.[0];
}

/** What does not begin a token is told and left out. @throws SyntaxIssue for a literal that has no value. */
export function tokenize(source: string): {
  readonly tokens: readonly Token[];
  readonly issues: readonly SyntaxIssue[];
} {
  const tokens: Token[] = [];
  const issues: SyntaxIssue[] = [];
  let offset = 0;
  for (;;) {
    offset += matchAt(blank, source, offset)?.length ?? 0;
    if (offset >= source.length) break;
    const next = nextToken(source, offset);
    if (next === undefined) {
      const text = unrecognized(source, offset);
      issues.push(new SyntaxIssue(offset, `Syntax error: token recognition error at: '${text}'`));
      offset += text.length;
    } else {
      tokens.push(next[0]);
      offset += next[1];
    }
  }
  tokens.push({ kind: 'end', text: '<EOF>', offset: source.length });
  return { tokens, issues };
}

const doubleQuoted = new RegExp(`(?:${escapeSequence}|[^"\\\\\\r\\n])*`, 'y');
const singleQuoted = new RegExp(`(?:${escapeSequence}|[^'\\\\\\r\\n])*`, 'y');
const partOfEscape = /\\(?:[xX][0-9a-fA-F]?|u[0-9a-fA-F]{0,3}|U[0-9a-fA-F]{0,7}|[0-3][0-7]?)?[^\r\n]?/y;

/** What is skipped where no token begins: one character, or as much of a text as could have been one. */
function unrecognized(source: string, offset: number): string {
  const character = String.fromCodePoint(source.codePointAt(offset)!);
  if (character !== '"' && character !== "'") return character;
  const start = offset + 1;
  const inner = character === '"' ? doubleQuoted : singleQuoted;
  const part = matchAt(inner, source, start) ?? '';
  return character + part + (matchAt(partOfEscape, source, start + part.length) ?? '');
}

function nextToken(source: string, offset: number): readonly [Token, number] | undefined {
  const quoted = matchAt(text, source, offset);
  if (quoted !== undefined) return [textToken(quoted, offset), quoted.length];
  const fraction = matchAt(double, source, offset);
  if (fraction !== undefined) {
    const value = new Double(Number(fraction));
    if (!Number.isFinite(value.value)) throw new SyntaxIssue(offset, 'invalid double literal');
    return [{ kind: 'literal', text: fraction, value, number: 'double', offset }, fraction.length];
  }
  const digits = matchAt(integer, source, offset);
  if (digits !== undefined) return integerToken(source, digits, offset);
  const name = matchAt(identifier, source, offset);
  if (name !== undefined) return [wordToken(name, offset), name.length];
  const quotedName = matchAt(escaped, source, offset);
  if (quotedName !== undefined) return [{ kind: 'escaped', text: quotedName.slice(1, -1), offset }, quotedName.length];
  const mark = matchAt(punctuation, source, offset);
  if (mark !== undefined) return [{ kind: 'punctuation', text: mark, offset }, mark.length];
  return undefined;
}

function wordToken(name: string, offset: number): Token {
  switch (name) {
    case 'true':
    case 'false':
      return { kind: 'literal', text: name, value: name === 'true', offset };
    case 'null':
      return { kind: 'literal', text: name, value: null, offset };
    case 'in':
      return { kind: 'punctuation', text: name, offset };
    default:
      return { kind: 'identifier', text: name, offset };
  }
}

function integerToken(source: string, digits: string, offset: number): readonly [Token, number] {
  const suffix = source[offset + digits.length];
  if (suffix === 'u' || suffix === 'U') {
    const value = BigInt(digits);
    if (!isUnsigned64(value)) throw new SyntaxIssue(offset, 'invalid uint literal');
    const token: Token = { kind: 'literal', text: digits + suffix, value: new Uint(value), offset };
    return [token, digits.length + 1];
  }
  const value = toInt64(BigInt(digits));
  return [
    { kind: 'literal', text: digits, ...(value === undefined ? {} : { value }), number: 'int', offset },
    digits.length,
  ];
}

function textToken(quoted: string, offset: number): Token {
  const prefix = /^[bBrR]*/.exec(quoted)![0].toLowerCase();
  const body = quoted.slice(prefix.length);
  const marks = body.startsWith('"""') || body.startsWith("'''") ? 3 : 1;
  const content = body.slice(marks, -marks).replace(/\r\n?/g, '\n');
  const isRaw = prefix.includes('r');
  try {
    const value = prefix.includes('b') ? unescapeBytes(content, isRaw) : isRaw ? content : unescapeText(content);
    return { kind: 'literal', text: quoted, value, offset };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new SyntaxIssue(offset, error.message);
  }
}
