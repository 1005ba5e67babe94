/** One step of a path, or text that stands as it is. */
export type PathNode =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'field'; readonly name: string }
  | { readonly type: 'wildcard' }
  | { readonly type: 'recursive' }
  | { readonly type: 'root' }
  | { readonly type: 'current' }
  | { readonly type: 'slice'; readonly slice: Slice }
  | { readonly type: 'union'; readonly branches: readonly (readonly PathNode[])[] }
  | {
      readonly type: 'filter';
      readonly left: readonly PathNode[];
      readonly operator: FilterOperator;
      readonly right: readonly PathNode[];
    }
  | { readonly type: 'literal'; readonly value: number | boolean }
  /** Means nothing: refused where it would be evaluated. */
  | { readonly type: 'identifier'; readonly name: string }
  | { readonly type: 'range' }
  | { readonly type: 'end' };

export type FilterOperator = 'exists' | '==' | '!=' | '<' | '<=' | '>' | '>=';

/** `[start:end:step]`; `[2]` is a single index. */
export interface Slice {
  readonly start: number | undefined;
  readonly end: number | undefined;
  readonly step: number | undefined;
  readonly isIndex: boolean;
}

/** A part of a template: text between braces' outsides, or one brace's steps. */
export type TemplatePart = readonly PathNode[];

/** A template that cannot be read. */
export class JsonPathError extends Error {
  override readonly name = 'JsonPathError';
}

/** Reads kubectl's JSONPath template: text with paths in braces. Throws JsonPathError. */
export function parseTemplate(template: string): readonly TemplatePart[] {
  const parts: TemplatePart[] = [];
  let at = 0;
  while (at < template.length) {
    const open = template.indexOf('{', at);
    const text = template.slice(at, open < 0 ? undefined : open);
    if (text !== '') parts.push([{ type: 'text', text }]);
    if (open < 0) break;
    const parser = new ActionParser(template, open + 1);
    parts.push(parser.action());
    at = parser.at;
  }
  return parts;
}

/** Reads what would stand between braces, without them: `.metadata.name`. */
export function parsePath(path: string): readonly PathNode[] {
  const parser = new ActionParser(`${path}}`, 0);
  return parser.action();
}

const terminator = /[\s.,[\]$@{}]/;

class ActionParser {
  readonly #text: string;
  at: number;

  constructor(text: string, at: number) {
    this.#text = text;
    this.at = at;
  }

  /** Up to and with the closing brace. */
  action(): PathNode[] {
    const nodes: PathNode[] = [];
    for (;;) {
      const next = this.#text[this.at];
      if (next === undefined) throw new JsonPathError('unclosed action');
      if (next === '}') {
        this.at++;
        return nodes;
      }
      nodes.push(...this.#step(next));
    }
  }

  #step(next: string): readonly PathNode[] {
    if (/\s/.test(next)) {
      this.at++;
      return [];
    }
    if (next === '@' || next === '$') {
      this.at++;
      return [{ type: next === '@' ? 'current' : 'root' }];
    }
    if (next === '[') return this.#bracket();
    if (next === '"' || next === "'") return [this.#quoted(next)];
    if (next === '.') return this.#dot();
    if (next === '*') {
      this.at++;
      return [{ type: 'wildcard' }];
    }
    if (/[-+\d]/.test(next)) return [this.#number()];
    if (/[\p{L}_]/u.test(next)) return [this.#identifier()];
    throw new JsonPathError(`unrecognized character in action: ${describe(next)}`);
  }

  #dot(): readonly PathNode[] {
    this.at++;
    const next = this.#text[this.at] ?? '';
    if (next === '.') {
      this.at++;
      const after = this.#text[this.at] ?? '';
      const nodes: PathNode[] = [{ type: 'recursive' }];
      return after === '*' || !/[\p{L}\p{Nd}_]/u.test(after) ? nodes : [...nodes, this.#field()];
    }
    if (next === '*' || next === '[' || next === '}' || /\s/.test(next)) return [];
    return [this.#field()];
  }

  /** A name up to the next terminator; a backslash takes a terminator's meaning away. */
  #field(): PathNode {
    let name = '';
    for (; this.at < this.#text.length; this.at++) {
      const character = this.#text[this.at]!;
      if (character === '\\' && this.at + 1 < this.#text.length) {
        name += this.#text[++this.at]!;
        continue;
      }
      if (terminator.test(character)) break;
      name += character;
    }
    return name === '*' ? { type: 'wildcard' } : { type: 'field', name };
  }

  #number(): PathNode {
    const [text = ''] = /^[-+]?[\d.]*/.exec(this.#text.slice(this.at)) ?? [];
    this.at += text.length;
    const value = Number(text);
    if (!/\d/.test(text) || Number.isNaN(value)) throw new JsonPathError(`cannot parse number ${text}`);
    return { type: 'literal', value };
  }

  #identifier(): PathNode {
    const [text = ''] = /^[^\s.,[\]$@{}]+/.exec(this.#text.slice(this.at)) ?? [];
    this.at += text.length;
    if (text === 'range' || text === 'end') return { type: text };
    if (text === 'true' || text === 'false') return { type: 'literal', value: text === 'true' };
    return { type: 'identifier', name: text };
  }

  #quoted(quote: string): PathNode {
    const start = this.at;
    this.at = endOfQuoted(this.#text, start, quote) + 1;
    return { type: 'text', text: unquote(this.#text.slice(start + 1, this.at - 1)) };
  }

  #bracket(): readonly PathNode[] {
    const start = this.at + 1;
    const end = endOfBracket(this.#text, start);
    this.at = end + 1;
    return subscript(this.#text.slice(start, end).trim());
  }
}

/** The index of the bracket that closes the one before `start`, past quoted text and nested brackets. */
function endOfBracket(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const character = text[at]!;
    if (character === '"' || character === "'") at = endOfQuoted(text, at, character);
    else if (character === '[') depth++;
    else if (character === ']' && depth-- === 0) return at;
  }
  throw new JsonPathError('unterminated array');
}

function endOfQuoted(text: string, start: number, quote: string): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === quote) return at;
  }
  throw new JsonPathError('unterminated quoted string');
}

/** What stands between brackets: an index or slice, a name in quotes, a filter, `*`, or several of them. */
function subscript(text: string): readonly PathNode[] {
  if (text === '*' || text === '') return [{ type: 'wildcard' }];
  if (text.startsWith('?(')) return [filter(text)];
  const pieces = splitAtCommas(text);
  if (pieces.length > 1) return [{ type: 'union', branches: pieces.map((piece) => subscript(piece.trim())) }];
  const name = /^'(.*)'$/s.exec(text) ?? /^"(.*)"$/s.exec(text);
  // Upstream reads the quoted name as a path of its own: its dots are steps unless escaped.
  if (name !== null) return parsePath(`.${name[1]}`);
  const slice = /^(-?\d*)(?::(-?\d*))?(?::(-?\d*))?$/.exec(text);
  if (slice === null) throw new JsonPathError(`invalid array index ${text}`);
  const [start, end, step] = slice
    .slice(1)
    .map((part) => (part === undefined || part === '' ? undefined : Number(part)));
  return [{ type: 'slice', slice: { start, end, step, isIndex: slice[2] === undefined } }];
}

function splitAtCommas(text: string): readonly string[] {
  const pieces: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (character === '"' || character === "'") at = endOfQuoted(text, at, character);
    else if (character === ',') {
      pieces.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...pieces, text.slice(start)];
}

function filter(text: string): PathNode {
  if (!text.endsWith(')')) throw new JsonPathError('unterminated filter');
  const inner = text.slice(2, -1).trim();
  const operatorAt = findOperator(inner);
  if (operatorAt === undefined) return { type: 'filter', left: parsePath(inner), operator: 'exists', right: [] };
  const { index, operator } = operatorAt;
  return {
    type: 'filter',
    left: parsePath(inner.slice(0, index).trim()),
    operator,
    right: parsePath(inner.slice(index + operator.length).trim()),
  };
}

function findOperator(text: string): { readonly index: number; readonly operator: FilterOperator } | undefined {
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (character === '"' || character === "'") at = endOfQuoted(text, at, character);
    else if (/[!<>=]/.test(character)) {
      const [written = ''] = /^[!<>=]+/.exec(text.slice(at)) ?? [];
      if (!/^(==|!=|<=?|>=?)$/.test(written)) throw new JsonPathError(`unrecognized filter operator ${written}`);
      return { index: at, operator: written as FilterOperator };
    }
  }
  return undefined;
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\0', b: '\b', f: '\f', v: '\v' };

function unquote(text: string): string {
  return text.replace(/\\(u[0-9a-fA-F]{4}|.)/gs, (_, code: string) =>
    code.length > 1 ? String.fromCharCode(Number.parseInt(code.slice(1), 16)) : (escapes[code] ?? code),
  );
}

const describe = (character: string): string =>
  `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')} '${character}'`;
