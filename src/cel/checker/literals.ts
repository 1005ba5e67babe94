import { compilePattern } from '../regex/pattern.ts';
import type { Expression } from '../syntax/ast.ts';
import { parseDuration, parseTimestamp } from '../values/time.ts';

/** What is wrong with a literal that a function would refuse whenever it is called. */
export function literalIssue(
  name: string,
  operands: readonly Expression[],
): { readonly at: Expression; readonly message: string } | undefined {
  const last = operands.at(-1);
  if (last?.kind !== 'literal' || typeof last.value !== 'string') return undefined;
  const isValid = validators[name];
  return isValid === undefined || isValid(last.value) ? undefined : { at: last, message: `invalid ${name} argument` };
}

const validators: Readonly<Record<string, (text: string) => boolean>> = {
  duration: (text) => parseDuration(text) !== undefined,
  timestamp: (text) => parseTimestamp(text) !== undefined,
  matches: (text) => compilePattern(text).error === undefined,
};
