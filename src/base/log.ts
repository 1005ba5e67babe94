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

/** A log that hands finished lines (without a line end) to `write`; control characters are escaped. */
export function createLog(options: {
  readonly write: (line: string) => void;
  readonly now: () => number;
  readonly level?: LogLevel;
  readonly component?: string;
}): Log {
  const least = order[options.level ?? 'info'];
  const say = (level: LogLevel, message: string, fields: LogFields = {}): void => {
    if (order[level] < least) return;
    let line = `${new Date(options.now()).toISOString()} ${level.toUpperCase().padEnd(5)}`;
    if (options.component !== undefined) line += ` ${options.component}:`;
    line += ` ${escapeControls(message)}`;
    for (const [name, value] of Object.entries(fields)) {
      if (value !== undefined)
        line += ` ${name}=${typeof value === 'string' ? escapeControls(JSON.stringify(value)) : value}`;
    }
    options.write(line);
  };
  return {
    debug: (message, fields) => say('debug', message, fields),
    info: (message, fields) => say('info', message, fields),
    warn: (message, fields) => say('warn', message, fields),
    error: (message, fields) => say('error', message, fields),
    named: (component) => createLog({ ...options, component }),
  };
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
