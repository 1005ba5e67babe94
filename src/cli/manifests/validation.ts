import { CliError } from '../failures.ts';
import { type FlagValues, textFlagWith } from '../flags.ts';

export const validateFlags = {
  validate: textFlagWith(
    'strict',
    'Must be one of: strict (or true), warn, ignore (or false). "strict" fails on unknown or duplicate fields, "warn" warns about them, "ignore" drops them silently.',
    { withoutValue: 'strict' },
  ),
} as const;

/** The query parameter `fieldValidation` (KEP-2885). Throws CliError. */
export function fieldValidationOf({ validate }: FlagValues<typeof validateFlags>): string {
  switch (validate) {
    case 'true':
    case 'strict':
      return 'Strict';
    case 'warn':
      return 'Warn';
    case 'false':
    case 'ignore':
      return 'Ignore';
    default:
      throw new CliError(
        `invalid - validate option "${validate}"; must be one of: strict (or true), warn, ignore (or false)`,
      );
  }
}
