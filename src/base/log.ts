/** Values that may stand in a log line. Secrets must never be among them. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Where a component says what it does. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same log with `component` in front of what it says. */
  named(component: string): Log;
}

const order: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** Lines for people, or one JSON object a line, with the names that Kubernetes' components use. */
export type LogFormat = 'text' | 'json';

/** A log that hands finished lines (without a line end) to `write`; control characters are escaped. */
export function createLog(options: {
  readonly write: (line: string) => void;
  readonly now: () => number;
  readonly level?: LogLevel;
  readonly component?: string;
  readonly format?: LogFormat;
}): Log {
  const least = order[options.level ?? 'info'];
  const { component, format } = options;
  const lineOf = format === 'json' ? jsonLine : textLine;
  const say = (level: LogLevel, message: string, fields: LogFields = {}): void => {
    if (order[level] >= least) options.write(lineOf({ now: options.now(), level, component, message, fields }));
  };
  return {
    debug: (message, fields) => say('debug', message, fields),
    info: (message, fields) => say('info', message, fields),
    warn: (message, fields) => say('warn', message, fields),
    error: (message, fields) => say('error', message, fields),
    named: (component) => createLog({ ...options, component }),
  };
}

interface Entry {
  /** Wall-clock milliseconds. */
  readonly now: number;
  readonly level: LogLevel;
  readonly component: string | undefined;
  readonly message: string;
  readonly fields: LogFields;
}

function textLine({ now, level, component, message, fields }: Entry): string {
  let line = `${new Date(now).toISOString()} ${level.toUpperCase().padEnd(5)}`;
  if (component !== undefined) line += ` ${component}:`;
  line += ` ${escapeControls(message)}`;
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined)
      line += ` ${name}=${typeof value === 'string' ? escapeControls(JSON.stringify(value)) : value}`;
  }
  return line;
}

function jsonLine({ now, level, component, message, fields }: Entry): string {
  return escapeControls(JSON.stringify({ ts: now, level, logger: component, msg: message, ...fields }));
}

/** A log that keeps nothing. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  named: () => silentLog,
};

/** A line break in a message would let a client forge log lines; other controls steer terminals. */
function escapeControls(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g,
    (character) => named[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const named: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
