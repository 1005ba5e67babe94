import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { type CliIo, createContext } from './context.ts';
import { CliError, describeFailure, ExitError, UsageError } from './failures.ts';
import { booleanFlag, type Flags, type ParsedFlags, parseFlags, textFlag } from './flags.ts';
import { type GlobalFlags, globalFlags } from './globals.ts';
import { overview, verbHelp } from './help.ts';
import type { Defaults, Preferences } from './kuberc/preferences.ts';
import { nearest } from './suggest.ts';
import type { Verb, VerbEntry } from './verb.ts';
import { verbs } from './verbs/index.ts';

const helpFlag = { help: booleanFlag('help for this command', { short: 'h' }) };

/** Runs one command line of kubectl (without the program's name) and resolves with its exit code. */
export async function runKubectl(args: readonly string[], io: CliIo): Promise<number> {
  try {
    return await dispatch(args, io);
  } catch (error) {
    if (io.signal.aborted && error === io.signal.reason) return 130;
    const text = describeFailure(error);
    const debug =
      io.env['PROA_DEBUG'] !== undefined && error instanceof Error ? `\n${styleText('dim', error.stack ?? '')}` : '';
    if (text !== '') io.stderr.write(`${text}${debug}\n`);
    return error instanceof ExitError ? error.code : 1;
  }
}

/** A verb, the words that lead to it, the flags before it, and those that the person prefers. */
interface Chosen {
  readonly verb: Verb;
  readonly path: string;
  readonly before: readonly string[];
  readonly rest: readonly string[];
  readonly defaults: readonly Defaults[];
}

/** @param aliased what an alias sets in place of the person's defaults */
async function dispatch(args: readonly string[], io: CliIo, aliased?: readonly Defaults[]): Promise<number> {
  const start = splitAtWord({ ...globalFlags, ...helpFlag, version: textFlag('', { withoutValue: 'true' }) }, args);
  const [word, ...rest] = start.rest;
  if (word === undefined || word === 'help') {
    if (rest.length > 0) return dispatch([...rest, '--help'], io);
    io.stdout.write(overview(verbs));
    return 0;
  }
  const preferences = aliased === undefined ? await preferencesOf(args, io) : undefined;
  const entry = findEntry(verbs, word);
  if (entry === undefined) return runUnknown(args, word, preferences, io);
  const path = `kubectl ${entry.name}`;
  const defaults = aliased ?? preferences?.defaults ?? [];
  const chosen = await descend({ verb: await entry.load(), path, before: start.before, rest, defaults });
  return (await runPluginOf(chosen, io)) ?? runVerb(chosen, io);
}

/** What the person prefers, read only where there is a file of it: most people have none. */
async function preferencesOf(args: readonly string[], io: CliIo): Promise<Preferences | undefined> {
  const { HOME: home = '', KUBERC: named = '' } = io.env;
  const flagged = args.some((arg) => arg.startsWith('--kuberc'));
  if (!flagged && named === '' && (home === '' || !existsSync(join(home, '.kube', 'kuberc')))) return undefined;
  const { kubercFlag, loadPreferences, preferencesFile } = await import('./kuberc/preferences.ts');
  const file = preferencesFile(io, kubercFlag(args));
  return file === undefined ? undefined : loadPreferences(io, file);
}

/** Any other word may be an alias, or the name of a plugin. */
async function runUnknown(
  args: readonly string[],
  word: string,
  preferences: Preferences | undefined,
  io: CliIo,
): Promise<number> {
  const alias = preferences?.aliases.find(({ name }) => name === word);
  if (alias !== undefined) {
    const { expandAlias } = await import('./kuberc/apply.ts');
    return dispatch(expandAlias(alias, args), io, [{ command: alias.command, options: alias.options ?? [] }]);
  }
  const { runPlugin } = await import('./plugins.ts');
  const code = await runPlugin(io, args);
  if (code === undefined) throw new CliError(unknownCommand(word));
  return code;
}

/** `create` takes plugins for kinds that it does not know; undefined when none ran. */
async function runPluginOf({ verb, before, rest }: Chosen, io: CliIo): Promise<number | undefined> {
  const [word = '-'] = rest;
  if (verb.name !== 'create' || before.length > 0 || word.startsWith('-')) return undefined;
  const { runPlugin } = await import('./plugins.ts');
  return runPlugin(io, [verb.name, ...rest], 2);
}

/** Follows the words of commands below commands. */
async function descend(chosen: Chosen): Promise<Chosen> {
  const { verb, path, before, rest, defaults } = chosen;
  if (verb.commands === undefined) return chosen;
  const split = splitAtWord({ ...globalFlags, ...helpFlag, ...verb.flags }, rest);
  const [word, ...after] = split.rest;
  const entry = word === undefined ? undefined : findEntry(verb.commands, word);
  if (entry === undefined) return chosen;
  return descend({
    verb: await entry.load(),
    path: `${path} ${entry.name}`,
    before: [...before, ...split.before],
    rest: after,
    defaults,
  });
}

async function runVerb(chosen: Chosen, io: CliIo): Promise<number> {
  const { verb, path } = chosen;
  const parsed = await parseChosen(chosen, io);
  if (parsed.values['help'] === true && verb.rawArguments !== true) {
    io.stdout.write(verbHelp(verb, path));
    return 0;
  }
  if (verb.run === undefined) {
    const [word] = parsed.args;
    if (word !== undefined) throw new CliError(`unknown command "${word}"\nSee '${path} -h' for help and examples`);
    io.stderr.write(verbHelp(verb, path));
    return 1;
  }
  const context = createContext({
    io,
    globals: globalsOf(verb, parsed),
    changed: parsed.changed,
    argsBeforeDash: parsed.argsBeforeDash,
    commandPath: path,
  });
  try {
    return await verb.run(context, parsed.values as never, parsed.args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new CliError(`${error.message}\nSee '${path} -h' for help and examples`);
  } finally {
    context.close();
  }
}

async function parseChosen({ verb, path, before, rest, defaults }: Chosen, io: CliIo): Promise<ParsedFlags> {
  const flags: Flags = { ...globalFlags, ...verb.flags, ...helpFlag };
  const parsed = parse(verb, path, flags, [...before, ...rest]);
  if (defaults.length === 0 || verb.rawArguments === true) return parsed;
  const { defaultArguments, unknownDefaults } = await import('./kuberc/apply.ts');
  for (const command of unknownDefaults(defaults, (word) => findEntry(verbs, word) !== undefined)) {
    io.stderr.write(`Warning: command ${JSON.stringify(command)} not found to set kuberc override\n`);
  }
  const preferred = defaultArguments(defaults, path, { flags, changed: parsed.changed });
  return preferred.length === 0 ? parsed : parse(verb, path, flags, [...preferred, ...before, ...rest]);
}

/** What was said of the connection: a verb's own flag of the same name (`set subject --user`) says nothing of that. */
function globalsOf(verb: Verb, { values }: ParsedFlags): GlobalFlags {
  const own = Object.keys(globalFlags).filter((name) => Object.hasOwn(verb.flags, name));
  if (own.length === 0) return values as unknown as GlobalFlags;
  const initial = parseFlags(globalFlags, []).values;
  return { ...values, ...Object.fromEntries(own.map((name) => [name, initial[name]])) } as unknown as GlobalFlags;
}

function parse(verb: Verb, path: string, flags: Flags, args: readonly string[]): ParsedFlags {
  if (verb.rawArguments === true) {
    const { values, changed } = parseFlags(flags, []);
    return { values, changed, args, argsBeforeDash: undefined };
  }
  try {
    return parseFlags(flags, args);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    throw new CliError(`${error.message}\nSee '${path} --help' for usage.`);
  }
}

/** The flags in front of the first word, and everything from that word on. */
function splitAtWord(
  flags: Flags,
  args: readonly string[],
): { readonly before: readonly string[]; readonly rest: readonly string[] } {
  const { args: rest } = parseFlags(flags, args, { stopAtArgument: true, keepUnknown: true });
  const isKnown = rest.length === 0 || !rest[0]!.startsWith('-');
  if (!isKnown) throw new CliError(`unknown flag: ${rest[0]}\nSee 'kubectl --help' for usage.`);
  return { before: args.slice(0, args.length - rest.length), rest };
}

function findEntry(entries: readonly VerbEntry[], word: string): VerbEntry | undefined {
  return entries.find(({ name, aliases }) => name === word || aliases?.includes(word));
}

function unknownCommand(word: string): string {
  const names = verbs.filter(({ hidden }) => hidden !== true).map(({ name }) => name);
  const close = nearest(word, names);
  const hint = close.length === 0 ? '' : `\n\nDid you mean this?\n${close.map((name) => `\t${name}`).join('\n')}`;
  return `unknown command "${word}" for "kubectl"${hint}`;
}
