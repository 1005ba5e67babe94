import { apiServerFlags } from './flag-names.ts';

type Form = keyof typeof apiServerFlags;

/** What was wrong with the command line, in the words of the official programs. */
export class FlagError extends Error {
  override readonly name = 'FlagError';
}

const forms = new Map<string, Form>(
  Object.entries(apiServerFlags).flatMap(([form, names]) => names.map((name) => [name, form as Form] as const)),
);

const shortNames: Readonly<Record<string, string>> = { h: 'help', v: 'v' };

/** Values of flags as they were given; lists and maps collect what several flags of one name say. */
export class Flags {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** The last value that is not empty. */
  text(name: string): string | undefined {
    const value = this.#values.get(name)?.at(-1);
    return value === '' ? undefined : value;
  }

  whole(name: string): number | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : Number(text);
  }

  boolean(name: string): boolean | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : isTrue(text);
  }

  /** Items of all flags of this name, between commas. */
  list(name: string): readonly string[] | undefined {
    return this.#values
      .get(name)
      ?.flatMap((value) => value.split(','))
      .filter((item) => item !== '');
  }

  /** One value for each flag of this name, commas and all. */
  all(name: string): readonly string[] | undefined {
    return this.#values.get(name)?.filter((value) => value !== '');
  }

  /** `a=b,c=d`. */
  map(name: string): Readonly<Record<string, string>> | undefined {
    const items = this.list(name);
    return items === undefined ? undefined : Object.fromEntries(items.map(splitOnce));
  }

  /** Milliseconds of a Go duration. */
  durationMs(name: string): number | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : goDurationMs(text);
  }
}

function splitOnce(text: string): [string, string] {
  const at = text.indexOf('=');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function isTrue(text: string): boolean {
  return ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text);
}

/** Reads kube-apiserver's command line. @throws FlagError in its words. */
export function parseApiServerFlags(args: readonly string[]): Flags {
  const values = new Map<string, string[]>();
  for (let at = 0; at < args.length; at++) {
    const argument = args[at]!;
    if (!argument.startsWith('-') || argument === '-')
      throw new FlagError(`unknown command ${JSON.stringify(argument)} for "kube-apiserver"`);
    if (argument === '--') break;
    const isShort = !argument.startsWith('--');
    const [given, inline] = splitFlag(argument.slice(isShort ? 1 : 2));
    // Underscores were dashes once, and still are.
    const name = isShort ? shortNames[given] : given.replaceAll('_', '-');
    const form = name === undefined ? undefined : name === 'help' ? 'bool' : forms.get(name);
    if (name === undefined || form === undefined)
      throw new FlagError(
        isShort ? `unknown shorthand flag: '${given[0]}' in ${argument}` : `unknown flag: --${given}`,
      );
    const value = inline ?? (form === 'bool' ? 'true' : args[++at]);
    if (value === undefined) throw new FlagError(`flag needs an argument: --${name}`);
    checkValue(name, form, value);
    const known = values.get(name) ?? [];
    values.set(name, known);
    known.push(value);
  }
  return new Flags(values);
}

function splitFlag(text: string): readonly [name: string, value: string | undefined] {
  const at = text.indexOf('=');
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function checkValue(name: string, form: Form, value: string): void {
  const refuse = (why: string): never => {
    throw new FlagError(`invalid argument ${JSON.stringify(value)} for "--${name}" flag: ${why}`);
  };
  switch (form) {
    case 'bool':
      if (!/^(1|t|T|true|TRUE|True|0|f|F|false|FALSE|False)$/.test(value))
        refuse(`strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`);
      return;
    case 'int':
      if (!/^[+-]?\d+$/.test(value)) refuse(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
      return;
    case 'float':
      if (value === '' || Number.isNaN(Number(value)))
        refuse(`strconv.ParseFloat: parsing ${JSON.stringify(value)}: invalid syntax`);
      return;
    case 'duration':
      if (goDurationMs(value) === undefined) refuse(`time: invalid duration ${JSON.stringify(value)}`);
      return;
    case 'ip':
      if (!/^[0-9a-fA-F:.]+$/.test(value)) refuse(`failed to parse IP: ${JSON.stringify(value)}`);
      return;
    default:
      return;
  }
}

const unitsMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds of `1h30m`; undefined for what is none. */
export function goDurationMs(text: string): number | undefined {
  if (text === '0') return 0;
  if (!/^[+-]?((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  let sum = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g))
    sum += Number(amount) * unitsMs[unit!]!;
  return text.startsWith('-') ? -sum : sum;
}
