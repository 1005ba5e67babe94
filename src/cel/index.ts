/** The public face of CEL: compile an expression in an environment, evaluate it, know what it costs. */
export {
  type Bindings,
  type Compilation,
  compile,
  type EvaluateOptions,
  type Evaluation,
  type Program,
} from './compile.ts';
export { CelEnvironment, type EnvironmentOptions } from './environment.ts';
export { formatIssues, type Issue } from './issues.ts';
export type { Library, Overload } from './library/library.ts';
export type { TypeProvider } from './types/provider.ts';
export * from './types/types.ts';
export { ArrayList, HashMap } from './values/collections.ts';
export { fromJson, toJson } from './values/json.ts';
export { Duration, Timestamp } from './values/time.ts';
export * from './values/value.ts';
