import { type CelEnvironment, type CelType, ListValue, listType } from '#cel/index.ts';
import { matchConditionsBudget, runtimeBudget } from '#cel/kubernetes/environment.ts';
import { withKubernetesCosts } from '#cel/kubernetes/library/costs.ts';
import { ConstructedObject, jsonPatchType, mutationLibrary, objectType } from '#cel/kubernetes/library/mutation.ts';
import type { MutatingAdmissionPolicy, Mutation } from '#kinds/generated/types/admissionregistration_v1.ts';
import { mergeApplied } from '#machinery/apply/merge.ts';
import { inOneText, typeProblems } from '#machinery/apply/typed.ts';
import { ApiError } from '#machinery/errors.ts';
import type { ApiObject, Json, JsonObject } from '#machinery/meta.ts';
import { applyJsonPatch } from '#machinery/patch/json-patch.ts';
import type { Schema } from '#machinery/schema.ts';
import { type CompiledExpression, compileExpression } from '../expressions/compile.ts';
import { BudgetedEvaluator, OutOfBudget } from '../expressions/evaluate.ts';
import type { RequestView } from '../expressions/request.ts';
import { type ConditionsResult, MatchConditions } from '../match-conditions/match-conditions.ts';
import { type ComposedVariables, composeVariables, invocationBindings } from '../policies/variables.ts';

/** A mutation that cannot be done; the message tells why. */
export class MutationFailure extends Error {}

interface CompiledMutation {
  readonly type: 'ApplyConfiguration' | 'JSONPatch';
  readonly expression: CompiledExpression;
}

const priced = withKubernetesCosts(mutationLibrary);
/** The environment with what mutations construct. */
export const withMutations = (environment: CelEnvironment): CelEnvironment =>
  environment.extend({ libraries: [priced] });

/** A MutatingAdmissionPolicy, ready to change objects. */
export class CompiledPolicy {
  readonly #variables: ComposedVariables;
  readonly #conditions: MatchConditions;
  readonly #mutations: readonly CompiledMutation[];

  constructor({ spec }: MutatingAdmissionPolicy) {
    const use = { hasParams: spec.paramKind !== undefined, hasAuthorizer: true };
    this.#variables = composeVariables(spec.variables ?? [], use, withMutations);
    const environment = this.#variables.environment(use);
    this.#conditions = new MatchConditions(spec.matchConditions ?? [], environment);
    this.#mutations = (spec.mutations ?? []).map((mutation) => compileMutation(mutation, environment));
  }

  get mutationCount(): number {
    return this.#mutations.length;
  }

  matches(view: RequestView, params: ApiObject | undefined, signal: AbortSignal): ConditionsResult {
    const evaluator = new BudgetedEvaluator(matchConditionsBudget, signal);
    return this.#conditions.evaluate(evaluator, invocationBindings(view, this.#variables, params, evaluator));
  }

  /**
   * The object after one of the policy's mutations; the one that was given is not touched.
   * @throws MutationFailure
   */
  mutate(
    index: number,
    view: RequestView,
    params: ApiObject | undefined,
    { signal, schema }: { readonly signal: AbortSignal; readonly schema: Schema },
  ): JsonObject {
    const { type, expression } = this.#mutations[index]!;
    if (expression.error !== undefined) throw new MutationFailure(expression.error);
    const evaluator = new BudgetedEvaluator(runtimeBudget, signal);
    const object = view.objects.object as unknown as JsonObject;
    try {
      const bindings = invocationBindings(view, this.#variables, params, evaluator);
      const { value, error } = evaluator.evaluate(expression, bindings);
      if (error !== undefined) throw new MutationFailure(error);
      return type === 'JSONPatch' ? patched(object, value) : applied(object, value, schema);
    } catch (error) {
      if (error instanceof OutOfBudget) throw new MutationFailure(error.message);
      throw error;
    }
  }
}

function compileMutation(mutation: Mutation, environment: CelEnvironment): CompiledMutation {
  const compiled = (type: CompiledMutation['type'], expression: string, result: CelType): CompiledMutation => ({
    type,
    expression: compileExpression(expression, environment, [result]),
  });
  return mutation.patchType === 'JSONPatch'
    ? compiled('JSONPatch', mutation.jsonPatch?.expression ?? '', listType(jsonPatchType))
    : compiled('ApplyConfiguration', mutation.applyConfiguration?.expression ?? '', objectType);
}

function patched(object: JsonObject, value: unknown): JsonObject {
  const operations = value instanceof ListValue ? [...value] : [];
  const patch = operations.map((operation): Json => {
    if (operation instanceof ConstructedObject) return operation.toJson();
    throw new MutationFailure('type mismatch: JSONPatchType.expression should evaluate to array of JSONPatch');
  });
  try {
    return applyJsonPatch(object, patch) as JsonObject;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // A patch whose test does not hold is not applied, and that is no failure.
    if (/^testing value .* failed|: test failed$/.test(error.message)) return object;
    throw new MutationFailure(`JSON Patch: ${error.message}`);
  }
}

/** Merges as server-side apply does, without anybody owning anything. */
function applied(object: JsonObject, value: unknown, schema: Schema): JsonObject {
  if (!(value instanceof ConstructedObject)) {
    throw new MutationFailure('unsupported return type from ApplyConfiguration expression');
  }
  const misnamed = value.misnamed();
  if (misnamed.length > 0) throw new MutationFailure(`type mismatch: ${misnamed.join('\n')}`);
  const configuration = value.toJson();
  const problems = typeProblems(configuration, schema, true);
  if (problems.length > 0) {
    const why = `failed to convert patch object to typed object: ${inOneText(problems)}`;
    throw new MutationFailure(`error applying patch: ${why}`);
  }
  const atomic = atomicPaths(configuration, schema, '');
  if (atomic.length > 0) {
    const why = `may not mutate atomic arrays, maps or structs: ${atomic.join(', ')}`;
    throw new MutationFailure(`error applying patch: invalid ApplyConfiguration: ${why}`);
  }
  return mergeApplied(object, configuration, schema);
}

/** Places in a configuration that could only be replaced as a whole. */
function atomicPaths(value: Json | undefined, schema: Schema, path: string): readonly string[] {
  if (Array.isArray(value) && schema.type === 'list') {
    if (schema.listType === 'atomic') return [path];
    return value.flatMap((item: Json, index) => atomicPaths(item, schema.items, `${path}[${index}]`));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  if (schema.type !== 'map' && schema.type !== 'object') return [];
  if (schema.atomic) return [path];
  return Object.entries(value).flatMap(([key, inner]) => {
    const own = schema.type === 'map' ? schema.values : schema.fields.get(key)?.schema;
    return own === undefined ? [] : atomicPaths(inner, own, `${path}.${key}`);
  });
}
