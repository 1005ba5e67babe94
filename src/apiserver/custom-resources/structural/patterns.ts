import { compilePattern, matchesText } from '#cel/regex/pattern.ts';

/**
 * Whether any part of a text matches a pattern of a schema (RE2 syntax), in time linear in the text, whoever wrote the
 * pattern. What cannot be read matches everything: such a pattern comes only from a store.
 */
export function patternMatches(pattern: string, text: string): boolean {
  return patternProblem(pattern) !== undefined || matchesText(text, pattern);
}

/** Why a pattern cannot be read; undefined when it can. */
export function patternProblem(pattern: string): string | undefined {
  if (pattern === '') return undefined;
  return compilePattern(pattern).error;
}
