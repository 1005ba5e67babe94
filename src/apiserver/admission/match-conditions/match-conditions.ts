import type { Bindings } from '#cel/index.ts';
import { boolType, type CelEnvironment } from '#cel/index.ts';
import { matchConditionsBudget } from '#cel/kubernetes/environment.ts';
import type { MatchCondition } from '#kinds/generated/types/admissionregistration_v1.ts';
import { aggregated } from '#machinery/errors.ts';
import type { Registry } from '../../registry/registry.ts';
import type { ServedResource } from '../../resources/resource.ts';
import { whenDecided } from '../expressions/authorizer.ts';
import { type CompiledExpression, compileExpression } from '../expressions/compile.ts';
import { admissionEnvironment } from '../expressions/environment.ts';
import { BudgetedEvaluator, OutOfBudget } from '../expressions/evaluate.ts';
import { RequestView } from '../expressions/request.ts';
import { objectsIn } from '../objects.ts';
import type { AdmissionAttributes } from '../plugin.ts';

/** Whether a request is what the conditions ask for. */
export type ConditionsResult =
  | { readonly matches: boolean; readonly error?: undefined }
  /** Some condition failed and none said no: `failurePolicy` decides. */
  | { readonly matches: false; readonly error: string };

interface CompiledCondition {
  readonly name: string;
  readonly expression: CompiledExpression;
}

/** `matchConditions` of a webhook or policy (KEP-3716): all must hold; one that is false wins over any that fails. */
export class MatchConditions {
  readonly #conditions: readonly CompiledCondition[];

  /** @param environment of a policy with `variables`; absent: the one that webhooks have. */
  constructor(
    conditions: readonly MatchCondition[],
    environment: CelEnvironment = admissionEnvironment({ hasParams: false, hasAuthorizer: true }),
  ) {
    this.#conditions = conditions.map(({ name, expression }) => ({
      name,
      expression: compileExpression(expression, environment, [boolType]),
    }));
  }

  /** Asks the conditions about a request in the version of `resource`. */
  async match(
    registry: Registry,
    attributes: AdmissionAttributes,
    resource: ServedResource,
  ): Promise<ConditionsResult> {
    if (this.#conditions.length === 0) return { matches: true };
    const view = new RequestView(registry, attributes, resource, await objectsIn(attributes, resource));
    return whenDecided(() => {
      const evaluator = new BudgetedEvaluator(matchConditionsBudget, attributes.request.signal);
      return this.evaluate(evaluator, view.bindings(withoutNamespace));
    });
  }

  /** The same with an evaluator and bindings of the caller's. */
  evaluate(evaluator: BudgetedEvaluator, bindings: Bindings): ConditionsResult {
    const errors: string[] = [];
    try {
      for (const { expression } of this.#conditions) {
        const { value, error } = evaluator.evaluate(expression, bindings);
        if (value === false) return { matches: false };
        if (error !== undefined) errors.push(error);
      }
    } catch (error) {
      if (!(error instanceof OutOfBudget)) throw error;
      return { matches: false, error: error.message };
    }
    if (errors.length === 0) return { matches: true };
    return { matches: false, error: aggregated(errors) };
  }
}

/** Conditions do not see the namespace. */
const withoutNamespace = (name: string): null | undefined => (name === 'namespaceObject' ? null : undefined);
