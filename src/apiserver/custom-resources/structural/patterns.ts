import { LruCache } from '#base/lru-cache.ts';

/** Compiled patterns that are kept; a definition has a few. */
const maximumPatterns = 4096;

const compiled = new LruCache<string, { readonly expression: RegExp | undefined }>(maximumPatterns);

/** Whether any part of a text matches a pattern of a schema (RE2 syntax). What cannot be read matches everything. */
export function patternMatches(pattern: string, text: string): boolean {
  return compilePattern(pattern)?.test(text) ?? true;
}

/** The expression behind a pattern; undefined when it cannot be read. */
export function compilePattern(pattern: string): RegExp | undefined {
  let known = compiled.get(pattern);
  if (known === undefined) {
    known = { expression: translate(pattern) };
    compiled.set(pattern, known);
  }
  return known.expression;
}

/** Why a pattern cannot be read; undefined when it can. */
export function patternProblem(pattern: string): string | undefined {
  if (pattern === '' || compilePattern(pattern) !== undefined) return undefined;
  return `error parsing regexp: \`${pattern}\``;
}

const posixClasses: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  digit: '0-9',
  lower: 'a-z',
  upper: 'A-Z',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\t\\n\\v\\f\\r ',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};

/** What RE2 writes in another way than JavaScript. */
function translate(pattern: string): RegExp | undefined {
  const flags = /^\(\?([ims]+)\)/.exec(pattern);
  const body = pattern
    .slice(flags?.[0].length ?? 0)
    .replace(/\\A/g, '^')
    .replace(/\\z/g, '$')
    .replace(/\(\?P</g, '(?<')
    .replace(/\[:(\w+):\]/g, (whole, name: string) => posixClasses[name] ?? whole);
  for (const mode of ['u', '']) {
    try {
      return new RegExp(body, `${flags?.[1] ?? ''}${mode}`);
    } catch {
      // Escapes that are needless are errors under `u` alone.
    }
  }
  return undefined;
}
