import { maximumIssues } from '../issues.ts';
import { Double } from '../values/value.ts';
import type { Expression, MapEntry, StructField } from './ast.ts';
import { MacroExpander, MacroRefusal } from './expander.ts';
import { SyntaxIssue, type Token, tokenize } from './lexer.ts';
import type { Macro } from './macros.ts';
import { toInt64 } from './numbers.ts';

/** What `parse` gives: the expression, and where in the source each of its ids stands (code units). */
export interface Parsed {
  readonly expression: Expression;
  readonly offsets: readonly number[];
}

export interface ParseOptions {
  readonly macros: ReadonlyMap<string, Macro>;
  /** Fields may be written as `a.\`b-c\``. */
  readonly quotedFields: boolean;
}

/** Nesting deeper than this is refused, as the parser would run out of stack. */
const maxDepth = 250;
const maxCodePoints = 100_000;

const reserved = new Set(
  'as break const continue else for function if import let loop package namespace return var void while'.split(' '),
);
const startsOfOperands =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
const relations = new Set(['<', '<=', '>=', '>', '==', '!=', 'in']);

/** Issues come in no particular order; after the first that the parser cannot mend it looks no further. */
export function parse(source: string, options: ParseOptions): Parsed | { readonly issues: readonly SyntaxIssue[] } {
  if (source.length > maxCodePoints) {
    const message = `expression code point size exceeds limit: size: ${source.length}, limit ${maxCodePoints}`;
    return { issues: [new SyntaxIssue(-1, message)] };
  }
  const issues: SyntaxIssue[] = [];
  try {
    const { tokens, issues: unrecognized } = tokenize(source);
    issues.push(...unrecognized.slice(0, maximumIssues + 1));
    if (issues.length > maximumIssues) return { issues };
    const parser = new Parser(source, tokens, options, issues);
    const expression = parser.whole();
    if (issues.length === 0) return { expression, offsets: parser.offsets };
  } catch (error) {
    if (!(error instanceof SyntaxIssue)) throw error;
    issues.push(error);
  }
  return { issues };
}

/** Whether an operand can begin with a token. */
function beginsOperand({ kind, text }: Token): boolean {
  return kind === 'literal' || kind === 'identifier' || (kind === 'punctuation' && '[{(.-!'.includes(text));
}

/** A token as it stands in the source. */
const textOf = ({ kind, text }: Token): string => (kind === 'escaped' ? `\`${text}\`` : text);

class Parser {
  /** Position of each id; ids count from 1. */
  readonly offsets: number[] = [0];
  readonly #tokens: readonly Token[];
  readonly #source: string;
  readonly #options: ParseOptions;
  /** What was wrong and could be mended. */
  readonly #issues: SyntaxIssue[];
  #at = 0;
  #depth = 0;

  constructor(source: string, tokens: readonly Token[], options: ParseOptions, issues: SyntaxIssue[]) {
    this.#source = source;
    this.#tokens = tokens;
    this.#options = options;
    this.#issues = issues;
  }

  whole(): Expression {
    const expression = this.#expression();
    const token = this.#token;
    if (token.kind !== 'end') {
      // As ANTLR's parsers tell it: what is one too many is extraneous, what goes on is a mismatch.
      const what = this.#tokens[this.#at + 1]?.kind === 'end' ? 'extraneous' : 'mismatched';
      this.#note(token, `Syntax error: ${what} input '${textOf(token)}' expecting <EOF>`);
    }
    return expression;
  }

  get #token(): Token {
    return this.#tokens[this.#at]!;
  }

  #refuse(token: Token, message: string): never {
    throw new SyntaxIssue(token.offset, message);
  }

  #note({ offset }: Token, message: string): void {
    this.#issues.push(new SyntaxIssue(offset, message));
  }

  #id(offset: number): number {
    this.offsets.push(offset);
    return this.offsets.length - 1;
  }

  #is(text: string): boolean {
    const { kind, text: own } = this.#token;
    return kind === 'punctuation' && own === text;
  }

  #accept(text: string): Token | undefined {
    if (!this.#is(text)) return undefined;
    return this.#tokens[this.#at++];
  }

  /** Goes on as if the token were there where what follows fits, as ANTLR's parsers do. */
  #expect(text: string, allowsComma = false): Token {
    const token = this.#accept(text);
    if (token !== undefined) return token;
    const found = this.#token;
    const next = this.#tokens[this.#at + 1];
    if (allowsComma) {
      return this.#refuse(found, `Syntax error: mismatched input '${textOf(found)}' expecting {'${text}', ','}`);
    }
    if (next?.kind === 'punctuation' && next.text === text) {
      this.#note(found, `Syntax error: extraneous input '${textOf(found)}' expecting '${text}'`);
      this.#at += 2;
      return next;
    }
    const mayFollow = text === ':' ? beginsOperand(found) : found.kind === 'end' || found.kind === 'punctuation';
    if (!mayFollow) {
      return this.#refuse(found, `Syntax error: mismatched input '${textOf(found)}' expecting '${text}'`);
    }
    this.#note(found, `Syntax error: missing '${text}' at '${textOf(found)}'`);
    return found;
  }

  #call(offset: number, name: string, ...args: readonly Expression[]): Expression {
    return { kind: 'call', id: this.#id(offset), function: name, target: undefined, args };
  }

  #expression(): Expression {
    if (++this.#depth > maxDepth) this.#refuse(this.#token, `expression recursion limit exceeded: ${maxDepth}`);
    const condition = this.#logical('||', '_||_', () => this.#logical('&&', '_&&_', () => this.#relation()));
    const question = this.#accept('?');
    let result = condition;
    if (question !== undefined) {
      const id = this.#id(question.offset);
      const yes = this.#logical('||', '_||_', () => this.#logical('&&', '_&&_', () => this.#relation()));
      this.#expect(':');
      const args = [condition, yes, this.#expression()];
      result = { kind: 'call', id, function: '_?_:_', target: undefined, args };
    }
    this.#depth--;
    return result;
  }

  /** A chain of one operator becomes a balanced tree, so that long chains do not nest deeply. */
  #logical(operator: string, name: string, operand: () => Expression): Expression {
    const terms = [operand()];
    const offsets: number[] = [];
    for (let token = this.#accept(operator); token !== undefined; token = this.#accept(operator)) {
      offsets.push(token.offset);
      terms.push(operand());
    }
    const balance = (from: number, to: number): Expression => {
      if (from === to) return terms[from]!;
      const middle = Math.floor((from + to) / 2);
      return this.#call(offsets[middle]!, name, balance(from, middle), balance(middle + 1, to));
    };
    return balance(0, terms.length - 1);
  }

  #relation(): Expression {
    let left = this.#sum();
    while (this.#token.kind === 'punctuation' && relations.has(this.#token.text)) {
      const { text, offset } = this.#tokens[this.#at++]!;
      left = this.#call(offset, text === 'in' ? '@in' : `_${text}_`, left, this.#sum());
    }
    return left;
  }

  #sum(): Expression {
    let left = this.#product();
    for (;;) {
      const token = this.#accept('+') ?? this.#accept('-');
      if (token === undefined) return left;
      left = this.#call(token.offset, `_${token.text}_`, left, this.#product());
    }
  }

  #product(): Expression {
    let left = this.#unary();
    for (;;) {
      const token = this.#accept('*') ?? this.#accept('/') ?? this.#accept('%');
      if (token === undefined) return left;
      left = this.#call(token.offset, `_${token.text}_`, left, this.#unary());
    }
  }

  #unary(): Expression {
    const first = this.#token;
    if (this.#is('-') && this.#tokens[this.#at + 1]!.number !== undefined) {
      this.#at++;
      return this.#member(this.#negativeLiteral(first));
    }
    for (const operator of ['!', '-']) {
      let count = 0;
      while (this.#is(operator) && !(count > 0 && operator === '-' && this.#isNegativeNumber())) {
        count++;
        this.#at++;
      }
      if (count === 0) continue;
      const operand = operator === '-' && this.#is('-') ? this.#unary() : this.#member(this.#primary());
      // Two in a row cancel out; what remains is one or none.
      return count % 2 === 0 ? operand : this.#call(first.offset, operator === '!' ? '!_' : '-_', operand);
    }
    return this.#member(this.#primary());
  }

  #isNegativeNumber(): boolean {
    return this.#is('-') && this.#tokens[this.#at + 1]!.number !== undefined;
  }

  #negativeLiteral(sign: Token): Expression {
    const token = this.#tokens[this.#at++]!;
    const id = this.#id(sign.offset);
    if (token.number === 'int') {
      const value = toInt64(-BigInt(token.text));
      if (value === undefined) this.#refuse(sign, 'invalid int literal');
      return { kind: 'literal', id, value: value! };
    }
    return { kind: 'literal', id, value: new Double(-(token.value as Double).value) };
  }

  #member(start: Expression): Expression {
    let operand = start;
    for (;;) {
      const bracket = this.#accept('[');
      if (bracket !== undefined) {
        const name = this.#accept('?') === undefined ? '_[_]' : '_[?_]';
        const id = this.#id(bracket.offset);
        const index = this.#expression();
        this.#expect(']');
        operand = { kind: 'call', id, function: name, target: undefined, args: [operand, index] };
        continue;
      }
      const dot = this.#accept('.');
      if (dot === undefined) return operand;
      operand = this.#selection(operand, dot);
    }
  }

  #selection(operand: Expression, dot: Token): Expression {
    const isOptional = this.#accept('?') !== undefined;
    const name = this.#token;
    if (name.kind !== 'identifier' && name.kind !== 'escaped') return this.#noIdentifier(dot, name);
    if (name.kind === 'escaped' && !this.#options.quotedFields) this.#note(name, "unsupported syntax: '`'");
    this.#at++;
    if (isOptional) {
      const field: Expression = { kind: 'literal', id: this.#id(name.offset), value: name.text };
      return this.#call(dot.offset, '_?._', operand, field);
    }
    const open = name.kind === 'identifier' ? this.#accept('(') : undefined;
    if (open === undefined) {
      return { kind: 'select', id: this.#id(dot.offset), operand, field: name.text, testOnly: false };
    }
    return this.#callOrMacro(open, name.text, operand);
  }

  #noIdentifier(from: Token, found: Token): never {
    const end = found.kind === 'end' ? from.offset + 1 : found.offset + textOf(found).length;
    return this.#refuse(
      found,
      `Syntax error: no viable alternative at input '${this.#source.slice(from.offset, end)}'`,
    );
  }

  #callOrMacro(open: Token, name: string, target: Expression | undefined): Expression {
    const id = this.#id(open.offset);
    const args: Expression[] = [];
    while (!this.#is(')')) {
      args.push(this.#expression());
      if (this.#accept(',') === undefined) break;
    }
    this.#expect(')');
    const macro = this.#options.macros.get(`${name}/${target !== undefined}/${args.length}`);
    if (macro !== undefined) {
      try {
        const expander = new MacroExpander(() => this.#id(open.offset));
        const expanded = macro.expand(expander, args, target);
        if (expanded !== undefined) return expanded;
      } catch (error) {
        if (!(error instanceof MacroRefusal)) throw error;
        throw new SyntaxIssue(this.offsets[error.at.id]!, error.message);
      }
    }
    return { kind: 'call', id, function: name, target, args };
  }

  #primary(): Expression {
    const token = this.#token;
    if (token.kind === 'literal') {
      this.#at++;
      if (token.value === undefined) this.#refuse(token, 'invalid int literal');
      return { kind: 'literal', id: this.#id(token.offset), value: token.value! };
    }
    if (this.#accept('(') !== undefined) {
      const inner = this.#expression();
      this.#expect(')');
      return inner;
    }
    if (this.#is('[')) return this.#list();
    if (this.#is('{')) return this.#map();
    if (this.#is('.') || token.kind === 'identifier') return this.#name();
    const next = this.#tokens[this.#at + 1];
    if (next !== undefined && beginsOperand(next)) {
      this.#note(token, `Syntax error: extraneous input '${textOf(token)}' expecting ${startsOfOperands}`);
      this.#at++;
      return this.#primary();
    }
    return this.#refuse(token, `Syntax error: mismatched input '${textOf(token)}' expecting ${startsOfOperands}`);
  }

  #name(): Expression {
    const dot = this.#accept('.');
    const leading = dot === undefined ? '' : '.';
    const token = this.#token;
    if (token.kind !== 'identifier') return this.#noIdentifier(dot ?? token, token);
    const type = this.#messageName();
    if (type !== undefined) return this.#struct(`${leading}${type}`);
    this.#at++;
    if (reserved.has(token.text)) this.#note(token, `reserved identifier: ${token.text}`);
    const open = this.#accept('(');
    if (open !== undefined) return this.#callOrMacro(open, `${leading}${token.text}`, undefined);
    return { kind: 'identifier', id: this.#id(token.offset), name: `${leading}${token.text}` };
  }

  /** `a.b.C` when a `{` follows it: the name of a type to construct. */
  #messageName(): string | undefined {
    let at = this.#at;
    const names: string[] = [];
    for (;;) {
      const token = this.#tokens[at]!;
      if (token.kind !== 'identifier') return undefined;
      names.push(token.text);
      const next = this.#tokens[at + 1]!;
      if (next.kind !== 'punctuation') return undefined;
      if (next.text === '{') {
        this.#at = at + 1;
        return names.join('.');
      }
      if (next.text !== '.') return undefined;
      at += 2;
    }
  }

  #list(): Expression {
    const id = this.#id(this.#expect('[').offset);
    const items: Expression[] = [];
    const optional = new Set<number>();
    while (!this.#is(']')) {
      if (this.#accept('?') !== undefined) optional.add(items.length);
      items.push(this.#expression());
      if (this.#accept(',') === undefined) break;
    }
    this.#expect(']', true);
    return { kind: 'list', id, items, optional };
  }

  #map(): Expression {
    const id = this.#id(this.#expect('{').offset);
    const entries: MapEntry[] = [];
    while (!this.#is('}')) {
      const optional = this.#accept('?') !== undefined;
      const key = this.#expression();
      const entry = this.#id(this.#expect(':').offset);
      entries.push({ id: entry, key, value: this.#expression(), optional });
      if (this.#accept(',') === undefined) break;
    }
    this.#expect('}', true);
    return { kind: 'map', id, entries };
  }

  #struct(type: string): Expression {
    const id = this.#id(this.#expect('{').offset);
    const fields: StructField[] = [];
    while (!this.#is('}')) {
      const optional = this.#accept('?') !== undefined;
      const name = this.#token;
      if (name.kind !== 'identifier' && name.kind !== 'escaped') this.#noIdentifier(name, name);
      this.#at++;
      const field = this.#id(this.#expect(':').offset);
      fields.push({ id: field, name: name.text, value: this.#expression(), optional });
      if (this.#accept(',') === undefined) break;
    }
    this.#expect('}', true);
    return { kind: 'struct', id, type, fields };
  }
}
