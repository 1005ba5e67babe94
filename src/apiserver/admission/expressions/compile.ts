import { type CelEnvironment, type CelType, compile, type Program, sameType, typeName } from '#cel/index.ts';

/** An expression of a webhook or policy, compiled or with the reason why it cannot be. */
export type CompiledExpression =
  | { readonly source: string; readonly program: Program; readonly error?: undefined }
  | {
      readonly source: string;
      readonly program?: undefined;
      readonly error: string;
      /** It is well formed and could never be evaluated. */
      readonly internal?: true;
    };

/** Compiles an expression that gives one of `types`; none: anything. */
export function compileExpression(
  source: string,
  environment: CelEnvironment,
  types: readonly CelType[],
): CompiledExpression {
  const { program, message } = asResult(compile(source, environment));
  if (program === undefined) return { source, error: `compilation failed: ${message}` };
  if (program.failure !== undefined) {
    return { source, error: `program instantiation failed: ${program.failure}`, internal: true };
  }
  if (types.length === 0 || types.some((type) => sameType(type, program.type))) return { source, program };
  const [only] = types;
  const wanted = types.length === 1 ? typeName(only!) : `one of [${types.map(typeName).join(' ')}]`;
  return { source, error: `must evaluate to ${wanted} but got ${typeName(program.type)}` };
}

function asResult(compilation: ReturnType<typeof compile>): { readonly program?: Program; readonly message: string } {
  return compilation.program === undefined
    ? { message: compilation.message }
    : { program: compilation.program, message: '' };
}
