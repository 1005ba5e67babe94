import type { ParseArgsConfig } from 'node:util';

/** One of `proa`'s own commands. */
export interface Command {
  readonly name: string;
  /** The whole help text. */
  readonly help: string;
  readonly options: NonNullable<ParseArgsConfig['options']>;
  /** How many arguments it takes that are no flags; none unless set. */
  readonly mostArguments?: number;
  /** @throws UserError for what a person can mend. @returns the exit code. */
  readonly run: (values: Values, positionals: readonly string[]) => Promise<number>;
}

export type Values = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;

/** A flag's text, where the flag takes one. */
export function text(values: Values, name: string): string | undefined {
  const value = values[name];
  return typeof value === 'string' ? value : undefined;
}
