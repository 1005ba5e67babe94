import { type LabelOperator, type LabelRequirement, type ParsedSelector, requirement } from './labels.ts';
import { labelKeyProblems } from './names.ts';

/** The longest selector that is read. */
const maximumSelectorLength = 65_536;

/**
 * Reads a label selector as it stands in a query, for example `app=web,tier in (a, b),!canary`. Throws an Error with
 * upstream's message.
 */
export function parseLabelSelector(text: string): ParsedSelector {
  if (text.length > maximumSelectorLength) throw new Error('label selector is too long');
  return { nothing: false, requirements: new Parser(lex(text)).requirements() };
}

type Token = 'end' | 'error' | 'identifier' | 'in' | 'notin' | '(' | ')' | ',' | '!' | '=' | '==' | '!=' | '>' | '<';

interface Lexeme {
  readonly token: Token;
  readonly text: string;
}

const special = '=!(),><';
const symbols: ReadonlySet<string> = new Set([')', ',', '!', '==', '=', '>', '<', '!=', '(']);

function lex(text: string): readonly Lexeme[] {
  const lexemes: Lexeme[] = [];
  let at = 0;
  while (at < text.length) {
    const character = text[at]!;
    if (' \t\r\n'.includes(character)) {
      at++;
    } else if (special.includes(character)) {
      const pair = text.slice(at, at + 2);
      const symbol = symbols.has(pair) ? pair : character;
      lexemes.push({ token: symbol as Token, text: symbol });
      at += symbol.length;
    } else {
      const start = at;
      while (at < text.length && !special.includes(text[at]!) && !' \t\r\n'.includes(text[at]!)) at++;
      const word = text.slice(start, at);
      lexemes.push({ token: word === 'in' || word === 'notin' ? word : 'identifier', text: word });
    }
  }
  lexemes.push({ token: 'end', text: '' });
  return lexemes;
}

const operators: Partial<Record<Token, LabelOperator>> = {
  in: 'in',
  notin: 'notin',
  '=': '=',
  '==': '==',
  '!=': '!=',
  '>': 'gt',
  '<': 'lt',
};

class Parser {
  readonly #lexemes: readonly Lexeme[];
  #at = 0;

  constructor(lexemes: readonly Lexeme[]) {
    this.#lexemes = lexemes;
  }

  requirements(): LabelRequirement[] {
    const found: LabelRequirement[] = [];
    for (;;) {
      const { token, text } = this.#peek();
      if (token === 'end') return sorted(found);
      if (token !== 'identifier' && token !== '!') {
        throw new Error(`found '${text}', expected: !, identifier, or 'end of string'`);
      }
      try {
        found.push(this.#requirement());
      } catch (error) {
        throw new Error(`unable to parse requirement: ${(error as Error).message}`);
      }
      const separator = this.#next();
      if (separator.token === 'end') return sorted(found);
      if (separator.token !== ',') throw new Error(`found '${separator.text}', expected: ',' or 'end of string'`);
      const following = this.#peek();
      if (following.token !== 'identifier' && following.token !== '!') {
        throw new Error(`found '${following.text}', expected: identifier after ','`);
      }
    }
  }

  #requirement(): LabelRequirement {
    const isAbsence = this.#peek().token === '!';
    if (isAbsence) this.#next();
    const { token, text: key } = this.#next();
    if (token !== 'identifier') throw new Error(`found '${key}', expected: identifier`);
    const problems = labelKeyProblems(key);
    if (problems.length > 0) throw new Error(`<nil>: Invalid value: ${JSON.stringify(key)}: ${problems.join('; ')}`);
    if (isAbsence) return requirement(key, '!', []);
    const next = this.#peek().token;
    if (next === 'end' || next === ',') return requirement(key, 'exists', []);
    const operator = this.#operator();
    return requirement(key, operator, operator === 'in' || operator === 'notin' ? this.#values() : this.#exactValue());
  }

  #operator(): LabelOperator {
    const { token, text } = this.#lexemes[this.#at++]!;
    const operator = operators[token];
    if (operator === undefined) throw new Error(`found '${text}', expected: in, notin, =, ==, !=, gt, lt`);
    return operator;
  }

  #exactValue(): string[] {
    const { token } = this.#peek();
    if (token === 'end' || token === ',') return [''];
    const value = this.#next();
    if (value.token !== 'identifier') throw new Error(`found '${value.text}', expected: identifier`);
    return [value.text];
  }

  #values(): string[] {
    const open = this.#next();
    if (open.token !== '(') throw new Error(`found '${open.text}' expected: '('`);
    const first = this.#peek();
    if (first.token === ')') {
      this.#next();
      return [''];
    }
    if (first.token !== 'identifier' && first.token !== ',') {
      throw new Error(`found '${first.text}', expected: ',', ')' or identifier`);
    }
    const values = this.#list();
    if (this.#next().token !== ')') throw new Error(`found '${first.text}', expected: ')'`);
    return values;
  }

  /** Values up to the closing parenthesis; nothing between two commas is an empty value. */
  #list(): string[] {
    const values = new Set<string>();
    for (;;) {
      const { token, text } = this.#next();
      if (token === 'identifier') {
        values.add(text);
        const next = this.#peek();
        if (next.token === ')') return [...values];
        if (next.token !== ',') throw new Error(`found '${next.text}', expected: ',' or ')'`);
      } else if (token === ',') {
        if (values.size === 0) values.add('');
        const next = this.#peek().token;
        if (next === ')' || next === ',') values.add('');
        if (next === ')') return [...values];
      } else {
        throw new Error(`found '${text}', expected: ',', or identifier`);
      }
    }
  }

  /** Where a value may stand, `in` and `notin` are words like others. */
  #peek(): Lexeme {
    const lexeme = this.#lexemes[Math.min(this.#at, this.#lexemes.length - 1)]!;
    return lexeme.token === 'in' || lexeme.token === 'notin' ? { token: 'identifier', text: lexeme.text } : lexeme;
  }

  #next(): Lexeme {
    const lexeme = this.#peek();
    this.#at++;
    return lexeme;
  }
}

function sorted(requirements: LabelRequirement[]): LabelRequirement[] {
  return requirements.sort((left, right) => (left.key < right.key ? -1 : left.key > right.key ? 1 : 0));
}
