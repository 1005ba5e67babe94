import { boolType, type CelEnvironment, nullType, stringType } from '#cel/index.ts';
import { matchConditionsBudget, maxMessageBytes, runtimeBudget } from '#cel/kubernetes/environment.ts';
import type { ValidatingAdmissionPolicy, Validation } from '#kinds/generated/types/admissionregistration_v1.ts';
import type { StatusReason } from '#machinery/errors.ts';
import type { ApiObject } from '#machinery/meta.ts';
import { byteLength } from '#machinery/names.ts';
import { type CompiledExpression, compileExpression } from '../expressions/compile.ts';
import { BudgetedEvaluator, OutOfBudget } from '../expressions/evaluate.ts';
import type { RequestView } from '../expressions/request.ts';
import { MatchConditions } from '../match-conditions/match-conditions.ts';
import { type ComposedVariables, composeVariables, invocationBindings } from '../policies/variables.ts';

/** What one validation thinks of a request. */
export interface Decision {
  readonly deny: boolean;
  readonly message: string;
  readonly reason: StatusReason | undefined;
  /** It could not be evaluated. */
  readonly failed?: true;
}

/** What an audit annotation has to say. */
export type Annotation =
  | { readonly key: string; readonly value: string; readonly error?: undefined }
  | { readonly key: string; readonly value?: undefined; readonly error: string };

export interface Verdict {
  readonly decisions: readonly Decision[];
  readonly annotations: readonly Annotation[];
}

interface CompiledValidation {
  readonly validation: Validation;
  readonly expression: CompiledExpression;
  readonly message: CompiledExpression | undefined;
}

interface CompiledAnnotation {
  readonly key: string;
  readonly expression: CompiledExpression;
}

const admit: Decision = { deny: false, message: '', reason: undefined };

/** A ValidatingAdmissionPolicy, ready to judge requests. */
export class CompiledPolicy {
  readonly #ignoresFailures: boolean;
  readonly #variables: ComposedVariables;
  readonly #conditions: MatchConditions;
  readonly #validations: readonly CompiledValidation[];
  readonly #annotations: readonly CompiledAnnotation[];

  constructor({ spec }: ValidatingAdmissionPolicy) {
    const hasParams = spec.paramKind !== undefined;
    this.#ignoresFailures = spec.failurePolicy === 'Ignore';
    this.#variables = composeVariables(spec.variables ?? [], { hasParams, hasAuthorizer: true });
    const environment = this.#variables.environment({ hasParams, hasAuthorizer: true });
    // Messages may tell what is wrong, not who may do what.
    const messages = this.#variables.environment({ hasParams, hasAuthorizer: false });
    this.#conditions = new MatchConditions(spec.matchConditions ?? [], environment);
    this.#validations = (spec.validations ?? []).map((validation) =>
      compileValidation(validation, environment, messages),
    );
    this.#annotations = (spec.auditAnnotations ?? []).map(({ key, valueExpression }) => ({
      key,
      expression: compileExpression(valueExpression, environment, [stringType, nullType]),
    }));
  }

  /** Judges a request with one object as the params. */
  judge(view: RequestView, params: ApiObject | undefined, signal: AbortSignal): Verdict {
    const conditionsEvaluator = new BudgetedEvaluator(matchConditionsBudget, signal);
    const { matches, error } = this.#conditions.evaluate(
      conditionsEvaluator,
      invocationBindings(view, this.#variables, params, conditionsEvaluator),
    );
    if (error !== undefined) return { decisions: [this.#failed(error)], annotations: [] };
    if (!matches) return { decisions: [], annotations: [] };
    try {
      return { decisions: this.#decide(view, params, signal), annotations: this.#annotate(view, params, signal) };
    } catch (failure) {
      if (!(failure instanceof OutOfBudget)) throw failure;
      return { decisions: [this.#failed(failure.message)], annotations: [] };
    }
  }

  #failed(message: string): Decision {
    return { deny: !this.#ignoresFailures, message, reason: undefined, failed: true };
  }

  #decide(view: RequestView, params: ApiObject | undefined, signal: AbortSignal): readonly Decision[] {
    const evaluator = new BudgetedEvaluator(runtimeBudget, signal);
    const bindings = invocationBindings(view, this.#variables, params, evaluator);
    const outcomes = this.#validations.map(({ expression }) => evaluator.evaluate(expression, bindings));
    const messages = new BudgetedEvaluator(evaluator.left, signal);
    const messageBindings = invocationBindings(view, this.#variables, params, messages);
    return this.#validations.map(({ validation, message }, index) => {
      const { value, error } = outcomes[index]!;
      if (error !== undefined) return this.#failed(error);
      if (value === true) return admit;
      let text: string | undefined;
      try {
        text = message === undefined ? undefined : usable(messages.evaluate(message, messageBindings).value);
      } catch (failure) {
        if (!(failure instanceof OutOfBudget)) throw failure;
        return this.#failed(`failed messageExpression: ${failure.message}`);
      }
      return { deny: true, message: text ?? fallback(validation), reason: validation.reason as StatusReason };
    });
  }

  #annotate(view: RequestView, params: ApiObject | undefined, signal: AbortSignal): readonly Annotation[] {
    const evaluator = new BudgetedEvaluator(runtimeBudget, signal);
    const bindings = invocationBindings(view, this.#variables, params, evaluator);
    return this.#annotations.flatMap(({ key, expression }): Annotation[] => {
      const { value, error } = evaluator.evaluate(expression, bindings);
      if (error !== undefined) return this.#ignoresFailures ? [] : [{ key, error }];
      const text = typeof value === 'string' ? value.trim() : '';
      return text === '' ? [] : [{ key, value: text }];
    });
  }
}

function compileValidation(
  validation: Validation,
  environment: CelEnvironment,
  messages: CelEnvironment,
): CompiledValidation {
  const { expression, messageExpression = '' } = validation;
  return {
    validation,
    expression: compileExpression(expression, environment, [boolType]),
    message: messageExpression === '' ? undefined : compileExpression(messageExpression, messages, [stringType]),
  };
}

/** A message that an expression made, unless it is empty, too long or of several lines. */
function usable(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  return text === '' || text.includes('\n') || byteLength(text) > maxMessageBytes ? undefined : text;
}

function fallback({ message = '', expression }: Validation): string {
  return message === '' ? `failed expression: ${expression.trim()}` : message.trim();
}
