import { readKubeconfig } from '#client/http/kubeconfig.ts';
import type { CommandContext } from '../../context.ts';
import { createContext } from '../../context.ts';
import { qualifiedName } from '../../discovery/mapper.ts';
import { type Flags, parseFlags } from '../../flags.ts';
import { type GlobalFlags, globalFlags } from '../../globals.ts';
import { fetchObjects } from '../../resources/fetch.ts';
import { defineVerb, type Verb, type VerbEntry } from '../../verb.ts';
import { pathsOf } from '../config/files.ts';

/** The commands of the program; given so that this verb needs not import the list it stands in. */
export const completeVerb = (entries: readonly VerbEntry[]): Verb =>
  defineVerb({
    name: '__complete',
    summary: 'Candidates for the last word of a command line',
    usage: 'WORD…',
    rawArguments: true,
    flags: {},
    run: async (context, _flags, args) => {
      const found = await candidates(context, entries, args);
      context.out(found.map((line) => `${line}\n`).join(''));
      context.out(':4\n');
      context.err('Completion ended with directive: ShellCompDirectiveNoFileComp\n');
      return 0;
    },
  });

/** Verbs whose arguments are types, then names. */
const typed = [
  'get',
  'describe',
  'delete',
  'edit',
  'label',
  'annotate',
  'patch',
  'explain',
  'scale',
  'autoscale',
  'expose',
  'wait',
];
/** Verbs whose arguments name pods. */
const onPods = ['logs', 'exec', 'attach', 'port-forward', 'debug'];
const onNodes = ['cordon', 'uncordon', 'drain'];

async function candidates(
  context: CommandContext,
  entries: readonly VerbEntry[],
  words: readonly string[],
): Promise<readonly string[]> {
  const current = words.at(-1) ?? '';
  let level = entries;
  let verb: Verb | undefined;
  let flags: Flags = globalFlags;
  let rest = words.slice(0, -1);
  for (;;) {
    const { args } = parseFlags(flags, rest, { stopAtArgument: true, keepUnknown: true });
    const [word, ...after] = args;
    const entry =
      word === undefined ? undefined : level.find(({ name, aliases }) => name === word || aliases?.includes(word));
    if (entry === undefined) break;
    verb = await entry.load();
    flags = { ...globalFlags, ...verb.flags };
    rest = [...rest.slice(0, rest.length - args.length), ...after];
    level = verb.commands ?? [];
    if (level.length === 0) break;
  }
  const parsed = tolerant(flags, rest);
  const own = createContext({
    io: context.io,
    globals: parsed.values as unknown as GlobalFlags,
    changed: parsed.changed,
    argsBeforeDash: undefined,
    commandPath: 'kubectl',
  });
  try {
    const value = await flagValues(own, words.at(-2) ?? '');
    const found =
      value ??
      (current.startsWith('-')
        ? flagNames(flags)
        : level.length > 0
          ? commandNames(level)
          : await argumentsOf(own, verb, parsed.args, current));
    return found.filter((line) => line.startsWith(current));
  } catch {
    // A shell has no use for errors in the middle of a line.
    return [];
  } finally {
    own.close();
  }
}

/** The last flag may still miss its value. */
function tolerant(flags: Flags, words: readonly string[]): ReturnType<typeof parseFlags> {
  try {
    return parseFlags(flags, words, { keepUnknown: true });
  } catch {
    return parseFlags(flags, words.slice(0, -1), { keepUnknown: true });
  }
}

const commandNames = (entries: readonly VerbEntry[]): readonly string[] =>
  entries.filter(({ hidden }) => hidden !== true).map(({ name, summary }) => `${name}\t${summary}`);

const flagNames = (flags: Flags): readonly string[] =>
  Object.entries(flags)
    .filter(([, { hidden }]) => hidden !== true)
    .map(([name, { usage }]) => `--${name}\t${usage.split('\n')[0]}`)
    .sort();

async function flagValues(context: CommandContext, flag: string): Promise<readonly string[] | undefined> {
  if (flag === '-n' || flag === '--namespace') return names(context, 'namespaces');
  const section = ({ '--context': 'contexts', '--cluster': 'clusters', '--user': 'users' } as const)[flag];
  if (section === undefined) return undefined;
  return (readKubeconfig(pathsOf(context))[section] ?? []).map(({ name }) => name);
}

async function argumentsOf(
  context: CommandContext,
  verb: Verb | undefined,
  args: readonly string[],
  current: string,
): Promise<readonly string[]> {
  if (verb === undefined) return [];
  if (verb.complete !== undefined) return verb.complete(context, args);
  if (onPods.includes(verb.name)) return args.length === 0 ? names(context, 'pods') : [];
  if (onNodes.includes(verb.name)) return names(context, 'nodes');
  if (verb.name === 'use-context') return (await flagValues(context, '--context')) ?? [];
  if (!typed.includes(verb.name)) return [];
  const slash = current.indexOf('/');
  if (slash > 0) {
    const type = current.slice(0, slash);
    return (await names(context, type)).map((name) => `${type}/${name}`);
  }
  const [type] = args;
  if (type !== undefined && !type.includes('/')) return names(context, type);
  const mapper = await context.mapper();
  return mapper
    .preferred()
    .filter(({ verbs }) => verbs.includes('get'))
    .map(qualifiedName);
}

async function names(context: CommandContext, type: string): Promise<readonly string[]> {
  const info = (await context.mapper()).tryResource(type);
  if (info === undefined) return [];
  const objects = await fetchObjects(context, { info, namespace: info.namespaced ? context.namespace() : undefined });
  return objects.map((object) => (object['metadata'] as { readonly name: string }).name);
}
