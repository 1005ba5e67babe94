import { type Checked, type CheckOptions, check } from './checker/checker.ts';
import { estimateCost, type SizeKnowledge } from './cost/estimate.ts';
import type { CelEnvironment } from './environment.ts';
import { Frame, type Step } from './evaluate/frame.ts';
import { Planner } from './evaluate/plan.ts';
import { formatIssues, type Issue, maximumIssues } from './issues.ts';
import type { Range } from './library/library.ts';
import { parse } from './syntax/parser.ts';
import type { CelType } from './types/types.ts';
import { Cancelled, Failure, type Value } from './values/value.ts';

/** Variables by name. A lookup that gives undefined means that the variable has no value. */
export type Bindings = Readonly<Record<string, Value>> | ((name: string) => Value | undefined);

export interface EvaluateOptions {
  /** The evaluation fails once it has cost more than this. */
  readonly costLimit?: number;
  readonly signal?: AbortSignal;
}

/** What came of an evaluation. `cost` is what it actually cost, in cel-go's units, failed or not. */
export type Evaluation =
  | { readonly value: Value; readonly cost: number }
  | {
      readonly error: string;
      /** It ran into its limit or was called off, rather than failing by itself. */
      readonly cancelled: boolean;
      readonly cost: number;
    };

/** An expression that has been checked and can be evaluated any number of times. */
export class Program {
  readonly source: string;
  readonly checked: Checked;
  /** A part that fails in every evaluation: `int('abc')`. cel-go refuses to make such a program. */
  readonly failure: string | undefined;
  readonly #environment: CelEnvironment;
  readonly #step: Step;

  constructor(source: string, checked: Checked, environment: CelEnvironment) {
    this.source = source;
    this.checked = checked;
    this.#environment = environment;
    const planner = new Planner(checked, environment);
    this.#step = planner.plan(checked.expression, new Map()).step;
    this.failure = planner.failures[0];
  }

  /** The type of its value. */
  get type(): CelType {
    return this.checked.type;
  }

  /** What an evaluation may cost, given how large the variables can be. */
  estimateCost(sizes: SizeKnowledge): Range {
    return estimateCost(this.checked, this.#environment, sizes);
  }

  /** Whether the expression reads a variable of this name. */
  uses(variable: string): boolean {
    for (const { name, local } of this.checked.names.values()) if (!local && name === variable) return true;
    return false;
  }

  evaluate(bindings: Bindings, { costLimit = Number.POSITIVE_INFINITY, signal }: EvaluateOptions = {}): Evaluation {
    const lookup = typeof bindings === 'function' ? bindings : (name: string) => bindings[name];
    const frame = new Frame(lookup, costLimit, signal);
    try {
      const value = this.#step(frame);
      return { value, cost: frame.cost };
    } catch (error) {
      if (error instanceof Failure) {
        return { error: error.message, cancelled: error instanceof Cancelled, cost: frame.cost };
      }
      if (error instanceof RangeError)
        return { error: 'evaluation nests too deeply', cancelled: false, cost: frame.cost };
      throw error;
    }
  }
}

export type Compilation =
  | { readonly program: Program; readonly issues?: undefined }
  | {
      readonly program?: undefined;
      readonly issues: readonly Issue[];
      /** All issues as cel-go prints them. */
      readonly message: string;
    };

/** Parses and checks an expression. */
export function compile(source: string, environment: CelEnvironment, options: CheckOptions = {}): Compilation {
  const parsed = parse(source, environment);
  const checked = 'issues' in parsed ? parsed : check(parsed, environment, options);
  if ('issues' in checked) {
    const { issues: found } = checked;
    const told = found
      .slice(0, maximumIssues)
      .map(({ offset, message }) => ({ offset: codePointOffset(source, offset), message }))
      .sort((a, b) => a.offset - b.offset);
    return { issues: told, message: formatIssues(source, [...told, ...found.slice(maximumIssues)]) };
  }
  return { program: new Program(source, checked, environment) };
}

function codePointOffset(source: string, offset: number): number {
  return offset < 0 ? offset : [...source.slice(0, offset)].length;
}
