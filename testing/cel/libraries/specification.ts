import type { Library } from '#cel/index.ts';
import { bindVariable } from '#cel/library/macros.ts';
import type { Expression } from '#cel/syntax/ast.ts';
import type { Macro, MacroBuilder } from '#cel/syntax/macros.ts';

/** Macros that only the specification's tests use: `cel.block` and its parts, `proto.hasExt` and `proto.getExt`. */

const inNamespace = (namespace: string, name: string, arity: number, expand: Macro['expand']): Macro => ({
  name,
  arity,
  member: true,
  expand: (build, args, target) =>
    target?.kind === 'identifier' && target.name === namespace ? expand(build, args, target) : undefined,
});

/** Each expression is bound to a name that those behind it, and the result, may use. */
function block(build: MacroBuilder, args: readonly Expression[]): Expression {
  const [bound, result] = args as readonly [Expression, Expression];
  if (bound.kind !== 'list') return build.refuse('cel.block requires the first arg to be a list literal', bound);
  return bound.items.reduceRight(
    (within, value, index) => bindVariable(build, `@index${index}`, value, within),
    result,
  );
}

const numbered = (name: string, prefix: string, arity: number): Macro =>
  inNamespace('cel', name, arity, (build, args) => {
    const numbers = args.map((arg) =>
      arg.kind === 'literal' ? String(arg.value) : build.refuse(`cel.${name} requires constant arguments`, arg),
    );
    return build.identifier(`${prefix}${numbers.join(':')}`);
  });

function extensionName(build: MacroBuilder, expression: Expression): string {
  if (expression.kind === 'identifier') return expression.name;
  return expression.kind === 'select'
    ? `${extensionName(build, expression.operand)}.${expression.field}`
    : build.refuse('invalid extension field', expression);
}

export const specificationLibrary: Library = {
  name: 'cel.spec.test',
  macros: [
    inNamespace('cel', 'block', 2, block),
    numbered('index', '@index', 1),
    numbered('iterVar', '@it:', 2),
    numbered('accuVar', '@ac:', 2),
    inNamespace('proto', 'getExt', 2, (build, [message, name]) => build.select(message!, extensionName(build, name!))),
    inNamespace('proto', 'hasExt', 2, (build, [message, name]) =>
      build.select(message!, extensionName(build, name!), { testOnly: true }),
    ),
  ],
};
