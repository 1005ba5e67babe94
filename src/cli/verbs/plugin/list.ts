import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { CommandContext } from '../../context.ts';
import { ExitError } from '../../failures.ts';
import { booleanFlag } from '../../flags.ts';
import { isExecutable, pathFolders } from '../../plugins.ts';
import { defineVerb, type VerbEntry } from '../../verb.ts';

export const listVerb = (commands: readonly VerbEntry[]) =>
  defineVerb({
    name: 'list',
    summary: "List all visible plugin executables on a user's PATH",
    usage: '[flags]',
    flags: {
      'name-only': booleanFlag('If true, display only the binary name of each plugin, rather than its full path'),
    },
    async run(context, flags) {
      const plugins = pluginsInPath(context);
      if (plugins.length === 0) {
        throw new ExitError(1, 'error: unable to find any kubectl plugins in your PATH');
      }
      context.out('The following compatible plugins are available:\n\n');
      const seen = new Map<string, string>();
      let warnings = 0;
      for (const path of plugins) {
        context.out(`${flags['name-only'] ? basename(path) : path}\n`);
        for (const warning of await warningsAbout(path, seen, commands)) {
          context.err(`  - ${warning}\n`);
          warnings++;
        }
      }
      if (warnings === 0) return 0;
      const count = warnings === 1 ? 'one plugin warning was' : `${warnings} plugin warnings were`;
      throw new ExitError(1, `error: ${count} found`);
    },
  });

function pluginsInPath(context: CommandContext): readonly string[] {
  return pathFolders(context.io).flatMap((folder) => {
    try {
      return readdirSync(folder, { withFileTypes: true })
        .filter((entry) => !entry.isDirectory() && entry.name.startsWith('kubectl-'))
        .map(({ name }) => join(folder, name))
        .sort();
    } catch {
      context.err(
        `Unable to read directory ${JSON.stringify(folder)} from your PATH: open ${folder}: no such file or directory. Skipping...\n`,
      );
      return [];
    }
  });
}

/** What keeps the plugin from being run; notes its name among those seen. */
async function warningsAbout(
  path: string,
  seen: Map<string, string>,
  commands: readonly VerbEntry[],
): Promise<readonly string[]> {
  const name = basename(path);
  const warnings: string[] = [];
  if (!isExecutable(path)) warnings.push(`warning: ${path} identified as a kubectl plugin, but it is not executable`);
  const first = seen.get(name);
  if (first === undefined) seen.set(name, path);
  else warnings.push(`warning: ${path} is overshadowed by a similarly named plugin: ${first}`);
  const command = await commandNamed(name.split('-').slice(1), commands);
  if (command !== undefined) warnings.push(`warning: ${name} overwrites existing command: "kubectl ${command}"`);
  return warnings;
}

/** The command that these words lead to, as far as they do. */
async function commandNamed(words: readonly string[], commands: readonly VerbEntry[]): Promise<string | undefined> {
  const [word = '', ...rest] = words;
  const entry = commands.find(({ name, aliases }) => name === word || aliases?.includes(word));
  if (entry === undefined) return undefined;
  const below = await commandNamed(rest, (await entry.load()).commands ?? []);
  return below === undefined ? entry.name : `${entry.name} ${below}`;
}
