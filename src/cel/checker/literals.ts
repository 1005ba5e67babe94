import { formatProblem } from '../library/format.ts';
import { compilePattern } from '../regex/pattern.ts';
import type { Call, Expression } from '../syntax/ast.ts';
import type { CelType } from '../types/types.ts';
import { isInteger } from '../values/integer.ts';
import { parseDuration, parseTimestamp, timestampInRange } from '../values/time.ts';

interface LiteralIssue {
  readonly at: Expression;
  readonly message: string;
}

/** What is wrong with a literal that a function would refuse whenever it is called. */
export function literalIssue(
  name: string,
  call: Call,
  operands: readonly Expression[],
  typeOf: (operand: Expression) => CelType,
): LiteralIssue | undefined {
  if (name === 'format') return formatIssue(call, operands, typeOf);
  const last = operands.at(-1);
  if (last?.kind !== 'literal') return undefined;
  const { value } = last;
  const issue = { at: last, message: `invalid ${name} argument` };
  if (name === 'timestamp' && isInteger(value) && !timestampInRange(BigInt(value))) return issue;
  const isValid = validators[name];
  return typeof value !== 'string' || isValid === undefined || isValid(value) ? undefined : issue;
}

/** A text that formats items which stand beside it can be tried now. */
function formatIssue(
  call: Call,
  [text, list]: readonly Expression[],
  typeOf: (operand: Expression) => CelType,
): LiteralIssue | undefined {
  if (text?.kind !== 'literal' || typeof text.value !== 'string' || list?.kind !== 'list') return undefined;
  const problem = formatProblem(text.value, list.items.map(typeOf));
  if (problem === undefined) return undefined;
  const at = problem.index === undefined ? call : list.items[problem.index]!;
  return { at, message: problem.message };
}

const validators: Readonly<Record<string, (text: string) => boolean>> = {
  duration: (text) => parseDuration(text) !== undefined,
  timestamp: (text) => parseTimestamp(text) !== undefined,
  matches: (text) => compilePattern(text).error === undefined,
};
