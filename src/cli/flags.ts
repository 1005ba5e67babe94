import { parseDuration } from '#machinery/time.ts';
import { CliError } from './failures.ts';

/**
 * A command-line flag: how it is written, what it holds, what it says in a help text. The dialect is that of the
 * official client: `--name=value`, `--name value`, `-n value`, `-nvalue`, short booleans in a bunch (`-it`).
 */
export interface Flag<Value = unknown> {
  /** The type's name in error texts: `bool`, `string`, `int`, `duration`, `strings`, `stringArray`. */
  readonly type: string;
  readonly short?: string | undefined;
  readonly usage: string;
  readonly initial: Value;
  /** What the flag means when it stands without `=value`; absent: it needs a value. */
  readonly withoutValue?: string | undefined;
  readonly hidden?: boolean | undefined;
  /** Takes one occurrence on the command line. Throws an Error that names the fault. */
  accept(text: string, before: Value, isFirst: boolean): Value;
}

export type Flags = Readonly<Record<string, Flag<never> | Flag>>;

/** The values of a set of flags. */
export type FlagValues<Set> = {
  readonly [Name in keyof Set]: Set[Name] extends Flag<infer Value> ? Value : never;
};

interface FlagOptions {
  readonly short?: string;
  readonly withoutValue?: string;
  readonly hidden?: boolean;
}

/** Text; undefined when the flag is not given. */
export function textFlag(usage: string, options: FlagOptions = {}): Flag<string | undefined> {
  return { type: 'string', usage, initial: undefined, accept: (text) => text, ...options };
}

/** Text that has a value also when the flag is not given. */
export function textFlagWith(initial: string, usage: string, options: FlagOptions = {}): Flag<string> {
  return { type: 'string', usage, initial, accept: (text) => text, ...options };
}

export function booleanFlag(usage: string, options: FlagOptions & { readonly initial?: boolean } = {}): Flag<boolean> {
  const { initial = false, ...rest } = options;
  return { type: 'bool', usage, initial, withoutValue: 'true', accept: parseBoolean, ...rest };
}

export function integerFlag(initial: number, usage: string, options: FlagOptions = {}): Flag<number> {
  return { type: 'int', usage, initial, accept: parseInteger, ...options };
}

/** Milliseconds, written as Go does (`1h30m`); a bare number counts seconds where the flag allows it. */
export function durationFlag(
  initialMs: number,
  usage: string,
  options: FlagOptions & { readonly bareSeconds?: boolean } = {},
): Flag<number> {
  const { bareSeconds = false, ...rest } = options;
  const accept = (text: string): number => {
    if (bareSeconds && /^\d+$/.test(text)) return Number(text) * 1000;
    const parsed = parseDuration(text);
    if (parsed === undefined) throw new Error(`time: invalid duration ${JSON.stringify(text)}`);
    return parsed;
  };
  return { type: 'duration', usage, initial: initialMs, accept, ...rest };
}

/** May be repeated; each value is split at commas. */
export function listFlag(usage: string, options: FlagOptions = {}): Flag<readonly string[]> {
  const accept = (text: string, before: readonly string[], isFirst: boolean) => [
    ...(isFirst ? [] : before),
    ...(text === '' ? [] : text.split(',')),
  ];
  return { type: 'strings', usage, initial: [], accept, ...options };
}

/** May be repeated; values stand as they are. */
export function arrayFlag(usage: string, options: FlagOptions = {}): Flag<readonly string[]> {
  const accept = (text: string, before: readonly string[], isFirst: boolean) => [...(isFirst ? [] : before), text];
  return { type: 'stringArray', usage, initial: [], accept, ...options };
}

function parseBoolean(text: string): boolean {
  if (/^(1|t|T|true|TRUE|True)$/.test(text)) return true;
  if (/^(0|f|F|false|FALSE|False)$/.test(text)) return false;
  throw new Error(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}

function parseInteger(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

/** What a command line comes to. */
export interface ParsedFlags {
  readonly values: Readonly<Record<string, unknown>>;
  readonly changed: ReadonlySet<string>;
  readonly args: readonly string[];
  /** How many of `args` stand before `--`; undefined when there is none. */
  readonly argsBeforeDash: number | undefined;
}

interface ParseOptions {
  /** Stop at the first argument that is no flag; it and all after it are `args`. */
  readonly stopAtArgument?: boolean;
  /** Put flags nobody knows among `args` instead of failing. */
  readonly keepUnknown?: boolean;
}

/** Reads flags wherever they stand among the arguments. Throws CliError. */
export function parseFlags(flags: Flags, args: readonly string[], options: ParseOptions = {}): ParsedFlags {
  const parser = new FlagParser(flags);
  const rest: string[] = [];
  let argsBeforeDash: number | undefined;
  for (let index = 0; index < args.length; ) {
    const arg = args[index]!;
    if (arg === '--') {
      argsBeforeDash = rest.length;
      rest.push(...args.slice(index + 1));
      break;
    }
    if (!arg.startsWith('-') || arg === '-') {
      if (options.stopAtArgument === true) {
        rest.push(...args.slice(index));
        break;
      }
      rest.push(arg);
      index++;
      continue;
    }
    const taken = arg.startsWith('--') ? parser.long(arg, args[index + 1]) : parser.short(arg, args[index + 1]);
    if (taken === undefined) {
      if (options.keepUnknown !== true) throw new CliError(unknownFlag(arg));
      rest.push(arg);
    }
    index += taken ?? 1;
  }
  return { values: parser.values, changed: parser.changed, args: rest, argsBeforeDash };
}

const unknownFlag = (arg: string): string =>
  arg.startsWith('--')
    ? `unknown flag: ${arg.split('=')[0]}`
    : `unknown shorthand flag: ${JSON.stringify(arg[1]).replaceAll('"', "'")} in ${arg}`;

class FlagParser {
  readonly values: Record<string, unknown> = {};
  readonly changed = new Set<string>();
  readonly #flags: Flags;
  readonly #byShort = new Map<string, string>();

  constructor(flags: Flags) {
    this.#flags = flags;
    for (const [name, flag] of Object.entries(flags)) {
      this.values[name] = flag.initial;
      if (flag.short !== undefined) this.#byShort.set(flag.short, name);
    }
  }

  /** How many arguments the flag took; undefined when nobody knows it. */
  long(arg: string, next: string | undefined): number | undefined {
    const equals = arg.indexOf('=');
    const name = equals < 0 ? arg.slice(2) : arg.slice(2, equals);
    const flag = Object.hasOwn(this.#flags, name) ? this.#flags[name] : undefined;
    if (flag === undefined) return undefined;
    if (equals >= 0) return this.#set(name, arg.slice(equals + 1), `--${name}`);
    if (flag.withoutValue !== undefined) return this.#set(name, flag.withoutValue, `--${name}`);
    if (next === undefined) throw new CliError(`flag needs an argument: --${name}`);
    this.#set(name, next, `--${name}`);
    return 2;
  }

  short(arg: string, next: string | undefined): number | undefined {
    for (let at = 1; at < arg.length; at++) {
      const letter = arg[at]!;
      const name = this.#byShort.get(letter);
      if (name === undefined) {
        if (at === 1) return undefined;
        throw new CliError(`unknown shorthand flag: '${letter}' in ${arg}`);
      }
      const flag = this.#flags[name]!;
      const shown = `-${letter}, --${name}`;
      if (arg[at + 1] === '=') return this.#set(name, arg.slice(at + 2), shown);
      if (flag.withoutValue !== undefined) {
        this.#set(name, flag.withoutValue, shown);
        continue;
      }
      if (at + 1 < arg.length) return this.#set(name, arg.slice(at + 1), shown);
      if (next === undefined) throw new CliError(`flag needs an argument: '${letter}' in ${arg}`);
      this.#set(name, next, shown);
      return 2;
    }
    return 1;
  }

  #set(name: string, text: string, shown: string): 1 {
    const flag = this.#flags[name] as Flag;
    try {
      this.values[name] = flag.accept(text, this.values[name], !this.changed.has(name));
    } catch (error) {
      throw new CliError(`invalid argument ${JSON.stringify(text)} for "${shown}" flag: ${(error as Error).message}`);
    }
    this.changed.add(name);
    return 1;
  }
}
