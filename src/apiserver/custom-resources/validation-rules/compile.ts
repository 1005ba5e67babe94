import { boolType, compile, optionalType, type Program, sameType, stringType } from '#cel/index.ts';
import { environmentWith } from '#cel/kubernetes/environment.ts';
import { type DeclaredType, declaredSizes, nameTypes } from '#cel/kubernetes/schema/declared-type.ts';
import { declaredTypeOf } from '#cel/kubernetes/schema/structural.ts';
import type { ValidationRule } from '#kinds/generated/types/apiextensions_v1.ts';
import type { StructuralNode } from '../structural/node.ts';

/** A rule at its place, ready to run. */
export interface CompiledRule {
  readonly rule: ValidationRule;
  /** Undefined when the rule does not compile. */
  readonly program: Program | undefined;
  readonly error: string | undefined;
  readonly message: Program | undefined;
  readonly messageError: string | undefined;
  /** A transition rule: runs only where there is an old value. */
  readonly usesOldSelf: boolean;
}

/** The rules of one place in a schema, and the type that `self` has there. */
export interface CompiledPlace {
  readonly declared: DeclaredType;
  readonly rules: readonly CompiledRule[];
}

/** Compiles the rules of one place. Undefined: expressions cannot see values of this place. */
export function compilePlace(node: StructuralNode, isRoot: boolean): CompiledPlace | undefined {
  const type = declaredTypeOf(node, isRoot || node.embedded);
  if (type === undefined) return undefined;
  const { root, types } = nameTypes(type, 'selfType');
  const base = environmentWith({ types: [types], variables: { self: root.type } });
  const required = base.extend({ variables: { oldSelf: root.type } });
  const optional = base.extend({ variables: { oldSelf: optionalType(root.type) } });
  const rules = node.rules.map((rule): CompiledRule => {
    const environment = rule.optionalOldSelf === true ? optional : required;
    const { program, message: error } = asResult(compile(rule.rule ?? '', environment));
    const own = { rule, message: undefined, messageError: undefined, usesOldSelf: program?.uses('oldSelf') ?? false };
    if (program === undefined) return { ...own, program, error: `compilation failed: ${error}` };
    if (program.failure !== undefined) {
      return { ...own, program: undefined, error: `program instantiation failed: ${program.failure}` };
    }
    if (!sameType(program.type, boolType)) {
      return { ...own, program: undefined, error: 'cel expression must evaluate to a bool' };
    }
    const { messageExpression = '' } = rule;
    if (messageExpression === '') return { ...own, program, error: undefined };
    const made = asResult(compile(messageExpression, environment));
    if (made.program === undefined) {
      return {
        ...own,
        program,
        error: undefined,
        messageError: `messageExpression compilation failed: ${made.message}`,
      };
    }
    return sameType(made.program.type, stringType)
      ? { ...own, program, error: undefined, message: made.program }
      : { ...own, program, error: undefined, messageError: 'messageExpression must evaluate to a string' };
  });
  return { declared: root, rules };
}

function asResult(compilation: ReturnType<typeof compile>): { readonly program?: Program; readonly message: string } {
  return compilation.program === undefined
    ? { message: compilation.message }
    : { program: compilation.program, message: '' };
}

/** The most that one evaluation may cost, by what the schema lets values be. */
export function estimatedCost(program: Program, { declared }: CompiledPlace): number {
  return program.estimateCost(declaredSizes(declared)).max;
}
