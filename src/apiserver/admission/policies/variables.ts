import {
  type Bindings,
  type CelEnvironment,
  type CelType,
  dynType,
  fromJson,
  structType,
  type Value,
} from '#cel/index.ts';
import { tableProvider } from '#cel/types/table.ts';
import type { Variable } from '#kinds/generated/types/admissionregistration_v1.ts';
import type { ApiObject, Json } from '#machinery/meta.ts';
import { type CompiledExpression, compileExpression } from '../expressions/compile.ts';
import { type AdmissionVariables, admissionEnvironment } from '../expressions/environment.ts';
import { type BudgetedEvaluator, VariablesValue } from '../expressions/evaluate.ts';
import type { RequestView } from '../expressions/request.ts';

const variablesType = 'kubernetes.variables';

/** A policy's `variables`, and environments in which they can be used. */
export interface ComposedVariables {
  readonly expressions: ReadonlyMap<string, CompiledExpression>;
  /** All of them in their order, for names may be taken twice. */
  readonly compiled: readonly CompiledExpression[];
  /** The environment of a part of the policy, with the variables in it. */
  environment(use: AdmissionVariables): CelEnvironment;
}

/**
 * Compiles variables in turn: each may use those before it. One that does not compile is dyn to the others.
 * @param extend for policies that change objects, which know `variables` even where there are none
 */
export function composeVariables(
  variables: readonly Variable[],
  use: AdmissionVariables,
  extend?: (base: CelEnvironment) => CelEnvironment,
): ComposedVariables {
  const fields: Record<string, CelType> = {};
  const types = tableProvider({ [variablesType]: fields });
  const environment = (own: AdmissionVariables): CelEnvironment => {
    const plain = admissionEnvironment(own);
    if (variables.length === 0 && extend === undefined) return plain;
    return (extend?.(plain) ?? plain).extend({ types: [types], variables: { variables: structType(variablesType) } });
  };
  const expressions = new Map<string, CompiledExpression>();
  const within = environment(use);
  const compiled = variables.map(({ name, expression }) => {
    const one = compileExpression(expression, within, []);
    if (expression.trim() === '') return one;
    expressions.set(name, one);
    fields[name] = one.program?.type ?? dynType;
    return one;
  });
  return { expressions, compiled, environment };
}

/** What the expressions of one invocation see: the request, its params, and variables at the evaluator's expense. */
export function invocationBindings(
  view: RequestView,
  variables: ComposedVariables,
  params: ApiObject | undefined,
  evaluator: BudgetedEvaluator,
): Bindings {
  const paramsValue = fromJson(params as unknown as Json | undefined);
  let composed: VariablesValue | undefined;
  const more = (name: string): Value | undefined => {
    if (name === 'params') return paramsValue;
    if (name !== 'variables') return undefined;
    composed ??= new VariablesValue(variables.expressions, evaluator, () => bindings);
    return composed;
  };
  const bindings = view.bindings(more);
  return bindings;
}
