import type { LabelSelector } from './meta.ts';
import { labelKeyProblems, labelValueProblems } from './names.ts';

export type Labels = Readonly<Record<string, string>>;

export type LabelOperator = 'in' | 'notin' | '=' | '==' | '!=' | 'gt' | 'lt' | 'exists' | '!';

/** One condition on a label. `values` are sorted and without repetition. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  readonly values: readonly string[];
}

/** A conjunction of requirements: none means everything. `nothing` matches no object at all. */
export interface ParsedSelector {
  readonly nothing: boolean;
  readonly requirements: readonly LabelRequirement[];
}

const nothing: ParsedSelector = { nothing: true, requirements: [] };

/** Whether labels satisfy a selector. */
export function matchesLabels(selector: ParsedSelector, labels: Labels | undefined): boolean {
  if (selector.nothing) return false;
  for (const requirement of selector.requirements) {
    if (!satisfies(requirement, labels)) return false;
  }
  return true;
}

function satisfies({ key, operator, values }: LabelRequirement, labels: Labels | undefined): boolean {
  const value = labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case '=':
    case '==':
    case 'in':
      return value !== undefined && values.includes(value);
    case '!=':
    case 'notin':
      return value === undefined || !values.includes(value);
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    case 'gt':
    case 'lt':
      return value !== undefined && comparesAs(operator, value, values[0]!);
  }
}

function comparesAs(operator: 'gt' | 'lt', left: string, right: string): boolean {
  if (!isInteger(left) || !isInteger(right)) return false;
  return operator === 'gt' ? BigInt(left) > BigInt(right) : BigInt(left) < BigInt(right);
}

function isInteger(text: string): boolean {
  return /^[+-]?\d+$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text);
}

/** How upstream spells a requirement, as in `app in (a,b),!tier`. */
export function formatSelector(selector: ParsedSelector): string {
  return selector.requirements.map(formatRequirement).join(',');
}

function formatRequirement({ key, operator, values }: LabelRequirement): string {
  switch (operator) {
    case 'exists':
      return key;
    case '!':
      return `!${key}`;
    case 'in':
    case 'notin':
      return `${key} ${operator} (${values.join(',')})`;
    case 'gt':
      return `${key}>${values[0]}`;
    case 'lt':
      return `${key}<${values[0]}`;
    default:
      return `${key}${operator}${values[0]}`;
  }
}

/** The text of exact labels: `a=1,b=2`, sorted by key. */
export function formatLabels(labels: Labels | undefined): string {
  return Object.entries(labels ?? {})
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

const setOperators: Readonly<Record<string, LabelOperator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
};

/** Compiles a LabelSelector: absent selects nothing, empty everything. Throws an Error with upstream's message. */
export function selectorOf(selector: LabelSelector | undefined): ParsedSelector {
  if (selector === undefined) return nothing;
  const requirements: LabelRequirement[] = [];
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    requirements.push(requirement(key, '=', [value]));
  }
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const known = Object.hasOwn(setOperators, operator) ? setOperators[operator] : undefined;
    if (known === undefined) throw new Error(`${JSON.stringify(operator)} is not a valid label selector operator`);
    requirements.push(requirement(key, known, values ?? []));
  }
  return { nothing: false, requirements: requirements.sort((left, right) => (left.key < right.key ? -1 : 1)) };
}

const compiled = new WeakMap<LabelSelector, ParsedSelector>();

/** `selectorOf`, remembered for shared, readonly selectors of stored objects. A selector that is wrong matches nothing. */
export function selects(selector: LabelSelector | undefined, labels: Labels | undefined): boolean {
  if (selector === undefined) return false;
  let parsed = compiled.get(selector);
  if (parsed === undefined) {
    try {
      parsed = selectorOf(selector);
    } catch {
      parsed = nothing;
    }
    compiled.set(selector, parsed);
  }
  return matchesLabels(parsed, labels);
}

/** The selector for exactly these labels, as a Service or ReplicationController has it. */
export function selectorOfLabels(labels: Labels | undefined): ParsedSelector {
  const keys = Object.keys(labels ?? {}).sort();
  return { nothing: false, requirements: keys.map((key) => ({ key, operator: '=', values: [labels![key]!] })) };
}

/** A LabelSelector as kubectl prints it; `<none>` and `<error>` are left to the caller. */
export function formatLabelSelector(selector: LabelSelector | undefined): string {
  return formatSelector(selectorOf(selector));
}

/** Builds a requirement. Throws an Error with upstream's messages when key or values are wrong. */
export function requirement(key: string, operator: LabelOperator, values: readonly string[]): LabelRequirement {
  const problems: string[] = [];
  const keyProblems = labelKeyProblems(key);
  if (keyProblems.length > 0) problems.push(`key: Invalid value: ${JSON.stringify(key)}: ${keyProblems.join('; ')}`);
  const count = countProblem(operator, values);
  if (count !== undefined) problems.push(`values: Invalid value: ${goList(values)}: ${count}`);
  values.forEach((value, index) => {
    if ((operator === 'gt' || operator === 'lt') && !isInteger(value)) {
      const what = "for 'Gt', 'Lt' operators, the value must be an integer";
      problems.push(`values[${index}]: Invalid value: ${JSON.stringify(value)}: ${what}`);
    }
  });
  values.forEach((value, index) => {
    const wrong = labelValueProblems(value);
    if (wrong.length > 0) {
      problems.push(`values[${index}][${key}]: Invalid value: ${JSON.stringify(value)}: ${wrong.join('; ')}`);
    }
  });
  if (problems.length > 0) throw new Error(problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`);
  return { key, operator, values: [...new Set(values)].sort() };
}

function goList(values: readonly string[]): string {
  return `[${values.map((value) => JSON.stringify(value)).join(',')}]`;
}

function countProblem(operator: LabelOperator, values: readonly string[]): string | undefined {
  switch (operator) {
    case 'in':
    case 'notin':
      return values.length === 0 ? "for 'in', 'notin' operators, values set can't be empty" : undefined;
    case 'exists':
    case '!':
      return values.length === 0 ? undefined : 'values set must be empty for exists and does not exist';
    case 'gt':
    case 'lt':
      return values.length === 1 ? undefined : "for 'Gt', 'Lt' operators, exactly one value is required";
    default:
      return values.length === 1 ? undefined : 'exact-match compatibility requires one single value';
  }
}
