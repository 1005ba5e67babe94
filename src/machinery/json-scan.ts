import { DecodeError, maximumNesting, maximumStrictErrors } from './conform.ts';
import type { Schema } from './schema.ts';

/** A member that is not to be there, or not again. */
export interface OddMember {
  readonly what: 'unknown' | 'duplicate';
  /** `spec.containers[0].imag`. */
  readonly path: string;
}

/**
 * Reads JSON text without building values, to find what JSON.parse hides: keys that stand twice in one object, and
 * where and why the text is no JSON, in Go's words. Throws DecodeError for that.
 * @param unknown paths that are known to be of no field: they are told of where they stand in the text
 */
export function oddMembers(
  text: string,
  schema: Schema | undefined,
  unknown: readonly string[] = [],
): readonly OddMember[] {
  const scanner = new Scanner(text, unknown);
  scanner.document(schema);
  return scanner.odd;
}

const quote = 0x22;
const backslash = 0x5c;

class Scanner {
  readonly odd: OddMember[] = [];
  readonly #text: string;
  /** Paths that are not told of yet. */
  readonly #unknown: Set<string>;
  #at = 0;
  #depth = 0;

  constructor(text: string, unknown: readonly string[]) {
    this.#text = text;
    this.#unknown = new Set(unknown);
  }

  document(schema: Schema | undefined): void {
    this.#value(schema, '');
    this.#space();
    if (this.#at < this.#text.length) throw this.#unexpected('after top-level value');
  }

  #value(schema: Schema | undefined, path: string): void {
    this.#space();
    const character = this.#text[this.#at];
    if (character === '{') this.#nested(() => this.#object(schema, path));
    else if (character === '[') this.#nested(() => this.#array(schema, path));
    else if (character === '"') this.#string();
    else this.#literal();
  }

  #nested(read: () => void): void {
    if (++this.#depth > maximumNesting) throw new DecodeError('exceeded max depth');
    read();
    this.#depth--;
  }

  #object(schema: Schema | undefined, path: string): void {
    const seen = new Set<string>();
    this.#at++;
    this.#space();
    if (this.#text[this.#at] === '}') {
      this.#at++;
      return;
    }
    for (;;) {
      this.#space();
      if (this.#text.charCodeAt(this.#at) !== quote)
        throw this.#unexpected('looking for beginning of object key string');
      const key = this.#string();
      const keyPath = path === '' ? key : `${path}.${key}`;
      const inner = innerSchema(schema, key);
      if (inner !== unknownField) {
        if (seen.has(key)) this.#report({ what: 'duplicate', path: keyPath });
        seen.add(key);
      } else if (this.#unknown.delete(keyPath)) this.#report({ what: 'unknown', path: keyPath });
      this.#space();
      if (this.#text[this.#at] !== ':') throw this.#unexpected('after object key');
      this.#at++;
      this.#value(inner === unknownField ? undefined : inner, keyPath);
      this.#space();
      const next = this.#text[this.#at];
      if (next !== ',' && next !== '}') throw this.#unexpected('after object key:value pair');
      this.#at++;
      if (next === '}') return;
    }
  }

  #array(schema: Schema | undefined, path: string): void {
    const items = schema?.type === 'list' ? schema.items : schema?.type === 'any' ? schema : undefined;
    this.#at++;
    this.#space();
    if (this.#text[this.#at] === ']') {
      this.#at++;
      return;
    }
    for (let index = 0; ; index++) {
      this.#value(items, items === undefined ? '' : `${path}[${index}]`);
      this.#space();
      const next = this.#text[this.#at];
      if (next !== ',' && next !== ']') throw this.#unexpected('after array element');
      this.#at++;
      if (next === ']') return;
    }
  }

  #report(member: OddMember): void {
    if (this.odd.length >= maximumStrictErrors || this.odd.some(({ path }) => path === member.path)) return;
    this.odd.push(member);
  }

  #string(): string {
    const start = this.#at;
    let at = start + 1;
    for (;;) {
      const code = this.#text.charCodeAt(at);
      if (code === quote) break;
      if (Number.isNaN(code)) throw new DecodeError('unexpected end of JSON input');
      if (code < 0x20) {
        this.#at = at;
        throw this.#unexpected('in string literal');
      }
      at += code === backslash ? this.#escape(at) : 1;
    }
    this.#at = at + 1;
    const raw = this.#text.slice(start + 1, at);
    return raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw;
  }

  /** The length of the escape at `at`. */
  #escape(at: number): number {
    const kind = this.#text[at + 1];
    if (kind === undefined) throw new DecodeError('unexpected end of JSON input');
    if (kind !== 'u') {
      if ('"\\/bfnrt'.includes(kind)) return 2;
      this.#at = at + 1;
      throw this.#unexpected('in string escape code');
    }
    for (let digit = 2; digit < 6; digit++) {
      if (/[0-9a-fA-F]/.test(this.#text[at + digit] ?? '')) continue;
      this.#at = at + digit;
      throw this.#unexpected('in \\u hexadecimal character escape');
    }
    return 6;
  }

  #literal(): void {
    const literal = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
    literal.lastIndex = this.#at;
    if (!literal.test(this.#text)) throw this.#unexpected('looking for beginning of value');
    this.#at = literal.lastIndex;
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  #unexpected(where: string): DecodeError {
    const character = this.#text[this.#at];
    if (character === undefined) return new DecodeError('unexpected end of JSON input');
    return new DecodeError(`invalid character ${shownCharacter(character)} ${where}`);
  }
}

/** As Go quotes one character. */
function shownCharacter(character: string): string {
  if (character === "'") return `'\\''`;
  if (character === '"') return `'"'`;
  const code = character.charCodeAt(0);
  const isControl = code < 0x20 && !'\b\f\n\r\t'.includes(character);
  return isControl ? `'\\x${code.toString(16).padStart(2, '0')}'` : `'${JSON.stringify(character).slice(1, -1)}'`;
}

const unknownField = Symbol('unknown field');

function innerSchema(schema: Schema | undefined, key: string): Schema | undefined | typeof unknownField {
  if (schema === undefined) return unknownField;
  if (schema.type === 'map') return schema.values;
  if (schema.type === 'any') return schema.message === '' ? schema : unknownField;
  if (schema.type !== 'object') return unknownField;
  const field = schema.fields.get(key);
  if (field !== undefined) return field.schema;
  return schema.preserveUnknown ? untyped : unknownField;
}

const untyped: Schema = { type: 'any', message: '' };
