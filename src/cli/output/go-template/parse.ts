/** A Go template (https://pkg.go.dev/text/template), as far as people use it with kubectl. */
export type TemplateNode =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'print'; readonly pipe: Pipeline }
  | {
      readonly type: 'if' | 'with' | 'range';
      readonly pipe: Pipeline;
      readonly body: readonly TemplateNode[];
      readonly otherwise: readonly TemplateNode[];
    }
  | { readonly type: 'break' | 'continue' };

/** Commands, each of which gets the value of the one before it as its last argument; its value may be named. */
export interface Pipeline {
  readonly variables: readonly string[];
  /** `:=` makes a variable, `=` changes one. */
  readonly declares: boolean;
  readonly commands: readonly (readonly Operand[])[];
}

export type Operand =
  | { readonly type: 'dot' }
  | { readonly type: 'field'; readonly from: Operand; readonly names: readonly string[] }
  | { readonly type: 'variable'; readonly name: string }
  | { readonly type: 'function'; readonly name: string }
  | { readonly type: 'literal'; readonly value: string | number | boolean | null }
  | { readonly type: 'group'; readonly pipe: Pipeline };

/** A template that cannot be read. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

interface Piece {
  readonly type: 'text' | 'action';
  readonly text: string;
}

export function parseTemplate(source: string): readonly TemplateNode[] {
  const pieces = split(source);
  const reader = new BlockReader(pieces);
  const nodes = reader.block();
  if (reader.end !== undefined) throw new TemplateError(`unexpected {{${reader.end}}}`);
  return nodes;
}

/** Text and actions in turn; `{{-` and `-}}` take the white space on their side away. */
function split(source: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let trims = false;
  while (at <= source.length) {
    const open = source.indexOf('{{', at);
    const raw = source.slice(at, open < 0 ? undefined : open);
    const trimsEnd = open >= 0 && /^\{\{-\s/.test(source.slice(open));
    const left = trims ? raw.trimStart() : raw;
    const text = trimsEnd ? left.trimEnd() : left;
    if (text !== '') pieces.push({ type: 'text', text });
    if (open < 0) break;
    const close = endOfAction(source, open + 2);
    const inner = source.slice(open + 2, close).replace(/^-\s/, ' ');
    trims = /\s-$/.test(inner);
    const action = inner.replace(/\s-$/, '').trim();
    if (!action.startsWith('/*')) pieces.push({ type: 'action', text: action });
    at = close + 2;
  }
  return pieces;
}

/** Where `}}` stands, past what is quoted. */
function endOfAction(source: string, start: number): number {
  for (let at = start; at < source.length; at++) {
    const character = source[at]!;
    if (character === '"' || character === '`') {
      for (at++; at < source.length && source[at] !== character; at++)
        if (character === '"' && source[at] === '\\') at++;
    } else if (source.startsWith('}}', at)) return at;
  }
  throw new TemplateError('unclosed action');
}

class BlockReader {
  readonly #pieces: readonly Piece[];
  #at = 0;
  /** The `end` or `else…` that ended the last block; undefined at the end of the template. */
  end: string | undefined;

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
  }

  block(): readonly TemplateNode[] {
    const nodes: TemplateNode[] = [];
    this.end = undefined;
    while (this.#at < this.#pieces.length) {
      const { type, text } = this.#pieces[this.#at++]!;
      if (type === 'text') {
        nodes.push({ type: 'text', text });
        continue;
      }
      const [word = ''] = text.split(/\s+/, 1);
      if (word === 'end' || word === 'else') {
        this.end = text;
        return nodes;
      }
      if (word === 'if' || word === 'with' || word === 'range')
        nodes.push(this.#control(word, text.slice(word.length)));
      else if (word === 'break' || word === 'continue') nodes.push({ type: word });
      else nodes.push({ type: 'print', pipe: new PipelineReader(text).whole() });
      this.end = undefined;
    }
    return nodes;
  }

  #control(type: 'if' | 'with' | 'range', text: string): TemplateNode {
    const pipe = new PipelineReader(text).whole();
    const body = this.block();
    const ending: string | undefined = this.end;
    if (ending === undefined) throw new TemplateError('unexpected EOF');
    if (ending === 'end') return { type, pipe, body, otherwise: [] };
    const chained = /^else\s+(if|with)\b(.*)$/s.exec(ending);
    // `else if` is an `if` within the `else`, and shares its `end`.
    if (chained !== null)
      return { type, pipe, body, otherwise: [this.#control(chained[1] as 'if' | 'with', chained[2]!)] };
    const otherwise = this.block();
    if (this.end !== 'end') throw new TemplateError('unexpected EOF');
    return { type, pipe, body, otherwise };
  }
}

const tokenPattern =
  /\s*("(?:[^"\\]|\\.)*"|`[^`]*`|:=|=|\||\(|\)|,|\$[A-Za-z0-9_]*|\.[A-Za-z_][A-Za-z0-9_]*|\.|[-+]?\d[\d._xa-fA-F]*|[A-Za-z_][A-Za-z0-9_]*)/y;

class PipelineReader {
  readonly #tokens: { readonly text: string; readonly spaced: boolean }[] = [];
  #at = 0;

  constructor(text: string) {
    const trimmed = text.trim();
    tokenPattern.lastIndex = 0;
    while (tokenPattern.lastIndex < trimmed.length) {
      const start = tokenPattern.lastIndex;
      const match = tokenPattern.exec(trimmed);
      if (match === null) throw new TemplateError(`unexpected ${JSON.stringify(trimmed[start])} in operand`);
      this.#tokens.push({ text: match[1]!, spaced: /^\s/.test(match[0]) });
    }
  }

  whole(): Pipeline {
    const pipe = this.#pipeline();
    if (this.#at < this.#tokens.length)
      throw new TemplateError(`unexpected ${JSON.stringify(this.#tokens[this.#at]!.text)}`);
    return pipe;
  }

  #peek(ahead = 0): string | undefined {
    return this.#tokens[this.#at + ahead]?.text;
  }

  #pipeline(): Pipeline {
    const { variables, declares } = this.#declaration();
    const commands: Operand[][] = [[]];
    for (;;) {
      const token = this.#peek();
      if (token === undefined || token === ')') break;
      if (token === '|') {
        this.#at++;
        commands.push([]);
      } else commands.at(-1)!.push(this.#operand());
    }
    if (commands.some((command) => command.length === 0)) throw new TemplateError('missing value for command');
    return { variables, declares, commands };
  }

  #declaration(): { readonly variables: readonly string[]; readonly declares: boolean } {
    const variables: string[] = [];
    for (let ahead = 0; this.#peek(ahead)?.startsWith('$') === true; ahead += 2) {
      variables.push(this.#peek(ahead)!);
      const next = this.#peek(ahead + 1);
      if (next === ':=' || next === '=') {
        this.#at += ahead + 2;
        return { variables, declares: next === ':=' };
      }
      if (next !== ',') break;
    }
    return { variables: [], declares: false };
  }

  #operand(): Operand {
    const token = this.#tokens[this.#at++]!.text;
    let operand = this.#primary(token);
    const names: string[] = [];
    // Fields that follow without a space belong to the operand before them.
    while (this.#peek()?.startsWith('.') === true && this.#peek() !== '.' && !this.#tokens[this.#at]!.spaced) {
      names.push(this.#tokens[this.#at++]!.text.slice(1));
    }
    if (names.length > 0) operand = { type: 'field', from: operand, names };
    return operand;
  }

  #primary(token: string): Operand {
    if (token === '.') return { type: 'dot' };
    if (token.startsWith('.')) return { type: 'field', from: { type: 'dot' }, names: [token.slice(1)] };
    if (token.startsWith('$')) return { type: 'variable', name: token };
    if (token === '(') {
      const pipe = this.#pipeline();
      if (this.#peek() !== ')') throw new TemplateError('unclosed left paren');
      this.#at++;
      return { type: 'group', pipe };
    }
    if (token.startsWith('"')) return { type: 'literal', value: JSON.parse(token.replace(/\\'/g, "'")) as string };
    if (token.startsWith('`')) return { type: 'literal', value: token.slice(1, -1) };
    if (token === 'true' || token === 'false') return { type: 'literal', value: token === 'true' };
    if (token === 'nil') return { type: 'literal', value: null };
    if (/^[-+]?\d/.test(token)) return { type: 'literal', value: Number(token.replaceAll('_', '')) };
    if (/^[A-Za-z_]/.test(token)) return { type: 'function', name: token };
    throw new TemplateError(`unexpected ${JSON.stringify(token)} in operand`);
  }
}
