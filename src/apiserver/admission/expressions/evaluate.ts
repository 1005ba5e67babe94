import { type Bindings, Failure, MapValue, type Value } from '#cel/index.ts';
import { perCallLimit } from '#cel/kubernetes/environment.ts';
import type { CompiledExpression } from './compile.ts';

/** What an expression has come to. */
export type Outcome =
  | { readonly value: Value; readonly error?: undefined }
  | { readonly value?: undefined; readonly error: string };

/** The expressions of a request together have become too expensive; none is run any more. */
export class OutOfBudget extends Error {
  constructor() {
    super('validation failed due to running out of cost budget, no further validation rules will be run');
  }
}

/** Evaluates expressions that share a budget. */
export class BudgetedEvaluator {
  #left: number;
  readonly #signal: AbortSignal;

  constructor(budget: number, signal: AbortSignal) {
    this.#left = budget;
    this.#signal = signal;
  }

  get left(): number {
    return this.#left;
  }

  /** @throws OutOfBudget */
  evaluate(expression: CompiledExpression, bindings: Bindings): Outcome {
    if (expression.program === undefined) return { error: `compilation error: ${expression.error}` };
    const outcome = this.run(expression, bindings);
    if (outcome.error === undefined) return outcome;
    return { error: `expression '${expression.source}' resulted in error: ${outcome.error}` };
  }

  /** The same, with errors as they are. */
  run({ program, error }: CompiledExpression, bindings: Bindings): Outcome {
    if (program === undefined) return { error: error ?? '' };
    const outcome = program.evaluate(bindings, { costLimit: perCallLimit, signal: this.#signal });
    this.#left -= outcome.cost;
    if (this.#left < 0) throw new OutOfBudget();
    return 'error' in outcome ? { error: outcome.error } : { value: outcome.value };
  }
}

/** A policy's `variables`: each is evaluated when it is first read, at the expense of the request's budget. */
export class VariablesValue extends MapValue {
  readonly #expressions: ReadonlyMap<string, CompiledExpression>;
  readonly #evaluator: BudgetedEvaluator;
  readonly #bindings: Bindings;
  readonly #outcomes = new Map<string, Outcome>();

  constructor(
    expressions: ReadonlyMap<string, CompiledExpression>,
    evaluator: BudgetedEvaluator,
    bindings: (variables: VariablesValue) => Bindings,
  ) {
    super();
    this.#expressions = expressions;
    this.#evaluator = evaluator;
    this.#bindings = bindings(this);
  }

  get size(): number {
    return this.#expressions.size;
  }

  keys(): Iterable<string> {
    return this.#expressions.keys();
  }

  get(key: Value): Value | undefined {
    const expression = typeof key === 'string' ? this.#expressions.get(key) : undefined;
    if (typeof key !== 'string' || expression === undefined) return undefined;
    if (expression.program === undefined) {
      throw new Failure(`composited variable "${key}" fails to compile: ${expression.error}`);
    }
    let outcome = this.#outcomes.get(key);
    if (outcome === undefined) {
      outcome = this.#evaluator.run(expression, this.#bindings);
      this.#outcomes.set(key, outcome);
    }
    if (outcome.error === undefined) return outcome.value;
    throw new Failure(`composited variable "${key}" fails to evaluate: ${outcome.error}`);
  }
}
