import type { Flag, Flags } from './flags.ts';
import { globalFlags } from './globals.ts';
import type { Verb, VerbEntry } from './verb.ts';

const aboutProgram = `kubectl controls the Kubernetes cluster manager.

 Find more information at: https://kubernetes.io/docs/reference/kubectl/`;

const otherCommands = 'Other Commands';
/** Upstream lists nothing under it either. */
const pluginHeading = 'Subcommands provided by plugins';
const headingOrder = [
  'Basic Commands (Beginner)',
  'Basic Commands (Intermediate)',
  'Deploy Commands',
  'Cluster Management Commands',
  'Troubleshooting and Debugging Commands',
  'Advanced Commands',
  'Settings Commands',
  pluginHeading,
  otherCommands,
];

/** Commands in the order of the overview, where that is neither the alphabet's nor that of `verbs`. */
const commandOrder =
  'create expose run set explain get edit delete rollout scale autoscale certificate cluster-info top cordon uncordon drain taint describe logs attach exec port-forward proxy cp auth debug events diff apply patch replace wait kustomize label annotate completion api-resources api-versions config kuberc plugin version'.split(
    ' ',
  );

/** The list of all commands under their headings. */
export function overview(entries: readonly VerbEntry[]): string {
  const rank = ({ name }: VerbEntry): number => commandOrder.indexOf(name);
  const visible = entries.filter(({ hidden }) => hidden !== true).sort((a, b) => rank(a) - rank(b));
  const present = new Set([...visible.map(({ group = otherCommands }) => group), pluginHeading]);
  const headings = [...headingOrder.filter((heading) => present.has(heading))];
  const width = widthOf(visible);
  const sections = headings.map((heading) =>
    commandList(
      `${heading}:`,
      visible.filter(({ group = otherCommands }) => group === heading),
      width,
    ),
  );
  return `${[
    aboutProgram,
    ...sections,
    'Usage:\n  kubectl [flags] [options]',
    'Use "kubectl <command> --help" for more information about a given command.\nUse "kubectl options" for a list of global command-line options (applies to all commands).',
  ].join('\n\n')}\n`;
}

const widthOf = (entries: readonly VerbEntry[]): number => Math.max(12, ...entries.map(({ name }) => name.length + 1));

function commandList(heading: string, entries: readonly VerbEntry[], width = widthOf(entries)): string {
  return [heading, ...entries.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`)].join('\n');
}

export function verbHelp(verb: Verb, path: string): string {
  const isGroup = verb.commands !== undefined && verb.run === undefined;
  const parts = [verb.about ?? `${verb.summary}.`];
  if (verb.aliases !== undefined && verb.aliases.length > 0) {
    parts.push(`Aliases:\n${[verb.name, ...verb.aliases].join(', ')}`);
  }
  if (verb.examples !== undefined) parts.push(`Examples:\n${indent(verb.examples)}`);
  if (verb.commands !== undefined) {
    const sorted = [...verb.commands].sort((a, b) => (a.name < b.name ? -1 : 1));
    parts.push(commandList('Available Commands:', sorted));
  }
  const shown = flagList(verb.flags);
  if (shown !== '') parts.push(`Options:\n${shown}`);
  const usage = [path, ...(isGroup ? ['SUBCOMMAND'] : []), ...(verb.usage === '' ? [] : [verb.usage]), '[options]'];
  parts.push(`Usage:\n  ${usage.join(' ')}`);
  const more =
    verb.commands === undefined ? '' : `Use "${path} <command> --help" for more information about a given command.\n`;
  parts.push(`${more}Use "kubectl options" for a list of global command-line options (applies to all commands).`);
  return `${parts.join('\n\n')}\n`;
}

export function globalOptions(): string {
  return `The following options can be passed to any command:\n\n${flagList(globalFlags)}\n`;
}

const indent = (text: string): string =>
  text
    .trim()
    .split('\n')
    .map((line) => (line === '' ? '' : `  ${line}`))
    .join('\n');

function flagList(flags: Flags): string {
  return Object.entries(flags)
    .filter(([, flag]) => flag.hidden !== true)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([name, flag]) =>
        `    ${flag.short === undefined ? '' : `-${flag.short}, `}--${name}=${initialText(flag as Flag)}:\n\t${flag.usage}`,
    )
    .join('\n\n');
}

function initialText({ type, initial }: Flag): string {
  if (Array.isArray(initial)) return '[]';
  if (initial === undefined) return "''";
  if (type === 'string') return `'${String(initial)}'`;
  if (type === 'duration') return `${Number(initial) / 1000}s`;
  return String(initial);
}
