import { ApiError, type Status } from '#machinery/errors.ts';

/** What a command refuses to do, in words for the person at the terminal; printed behind `error: `. */
export class CliError extends Error {
  override readonly name: string = 'CliError';
}

/** Misuse of a command: also names the help text to read. */
export class UsageError extends CliError {
  override readonly name = 'UsageError';
}

/** Ends the program with `code`; whatever there was to say has been said, unless `message` is given. */
export class ExitError extends Error {
  override readonly name = 'ExitError';
  readonly code: number;

  constructor(code: number, message = '') {
    super(message);
    this.code = code;
  }
}

/** The lines that stand on standard error for a failure, in the official client's words, without the last line end. */
export function describeFailure(error: unknown): string {
  if (error instanceof ExitError) return error.message;
  if (error instanceof AggregateError && !('code' in error)) {
    return error.errors.map(describeOneOfMany).join('\n');
  }
  if (error instanceof ApiError) return describeStatus(error.status);
  const connection = describeConnectionFailure(error);
  if (connection !== undefined) return connection;
  const message = error instanceof Error ? error.message : String(error);
  return message.startsWith('error: ') ? message : `error: ${message}`;
}

/** Among others even an invalid object is told in one line. */
function describeOneOfMany(error: unknown): string {
  if (!(error instanceof ApiError) || error.reason !== 'Invalid') return describeFailure(error);
  return `Error from server (Invalid): ${error.message}`;
}

function describeStatus(status: Status): string {
  const message = status.message ?? '';
  if (status.reason === 'Invalid') return describeInvalid(status);
  if (status.reason === 'Unauthorized') return `error: You must be logged in to the server (${message})`;
  if (status.reason !== undefined && status.reason.length > 0)
    return `Error from server (${status.reason}): ${message}`;
  return `Error from server: ${message}`;
}

function describeInvalid({ details, message = '' }: Status): string {
  if (details === undefined) return message === '' ? 'The request is invalid' : `The request is invalid: ${message}`;
  const causes = [...new Set((details.causes ?? []).map(({ field = '', message: why = '' }) => `${field}: ${why}`))];
  const named = (details.kind ?? '') !== '' || (details.name ?? '') !== '';
  const subject = named
    ? `The ${details.kind ?? ''} "${details.name ?? ''}" is invalid`
    : message !== '' && causes.length === 0
      ? `The request is invalid: ${message}`
      : 'The request is invalid';
  if (causes.length === 0) return subject;
  if (causes.length === 1) return `${subject}: ${causes[0]}`;
  return `${subject}: \n${causes.map((cause) => `* ${cause}`).join('\n')}`;
}

function describeConnectionFailure(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  const { code } = error;
  const refused = error instanceof AggregateError ? error.errors[0] : error;
  const { address = '', port = '', hostname = '' } = refused as { address?: string; port?: number; hostname?: string };
  if (code === 'ECONNREFUSED') {
    const host = String(address).includes(':') ? `[${address}]` : address;
    return `The connection to the server ${host}:${port} was refused - did you specify the right host or port?`;
  }
  if (code === 'ENOTFOUND') return `Unable to connect to the server: dial tcp: lookup ${hostname}: no such host`;
  if (/^(E(CONN|HOST|NET|TIMEDOUT|PIPE|AI_)|CERT_|DEPTH_|SELF_|UNABLE_|ERR_TLS|ERR_SSL)/.test(code)) {
    return `Unable to connect to the server: ${error.message}`;
  }
  return undefined;
}
