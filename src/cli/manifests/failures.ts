import { ApiError } from '#machinery/errors.ts';
import { CliError } from '../failures.ts';

/** The failure with what was being done to which manifest in front, as `error when creating "web.yaml": …`. */
export function whileDoing(doing: string, source: string | undefined, error: unknown): unknown {
  if (source === undefined || source === '') return error;
  return withPrefix(`error when ${doing} "${source}": `, error);
}

/** The failure with words in front of its message. A refusal of the server stays one. */
export function withPrefix(prefix: string, error: unknown): unknown {
  if (error instanceof ApiError) {
    const { reason = '', message = '', details } = error.status;
    return new ApiError(error.code, reason, prefix + message, details);
  }
  return error instanceof CliError ? new CliError(prefix + error.message) : error;
}
