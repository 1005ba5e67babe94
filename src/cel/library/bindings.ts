import type { Expression } from '../syntax/ast.ts';
import type { Macro } from '../syntax/macros.ts';
import type { Library } from './library.ts';
import { bindVariable } from './macros.ts';

const bind: Macro = {
  name: 'bind',
  arity: 3,
  member: true,
  expand: (build, args, target) => {
    if (target?.kind !== 'identifier' || target.name !== 'cel') return undefined;
    const [variable, value, result] = args as readonly [Expression, Expression, Expression];
    return variable.kind === 'identifier'
      ? bindVariable(build, variable.name, value, result)
      : build.refuse('cel.bind() variable names must be simple identifiers', variable);
  },
};

/** `cel.bind(x, value, expression)`. */
export const bindingsLibrary: Library = { name: 'cel.lib.ext.cel.bindings', macros: [bind] };
