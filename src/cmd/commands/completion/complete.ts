import type { Command } from '../command.ts';

/** What the completion of a line needs to know of a command. */
export interface Completed {
  readonly summary: string;
  readonly load: () => Promise<Command | ((args: readonly string[]) => Promise<number>)>;
}

/** Words that follow some of the commands. */
const following: Readonly<Record<string, readonly string[]>> = {
  image: ['load', 'list'],
  completion: ['bash', 'zsh', 'fish'],
};

/**
 * `proa __complete WORD…`, which the shells' scripts call: prints the candidates for the last word, a line each. What
 * comes after `kubectl` is kubectl's to complete.
 */
export async function complete(
  commands: Readonly<Record<string, Completed>>,
  words: readonly string[],
): Promise<number> {
  const [name, ...rest] = words;
  const current = words.at(-1) ?? '';
  if (name === 'kubectl' && rest.length > 0) {
    const kubectl = await commands['kubectl']!.load();
    return typeof kubectl === 'function' ? kubectl(['__complete', ...rest]) : 1;
  }
  const candidates = rest.length === 0 ? commandLines(commands) : await wordsOf(commands, name ?? '', current);
  process.stdout.write([...candidates.filter((line) => line.startsWith(current)), ':4', ''].join('\n'));
  return 0;
}

function commandLines(commands: Readonly<Record<string, Completed>>): readonly string[] {
  return Object.entries(commands).map(([command, { summary }]) => `${command}\t${summary}`);
}

async function wordsOf(
  commands: Readonly<Record<string, Completed>>,
  name: string,
  current: string,
): Promise<readonly string[]> {
  const command = Object.hasOwn(commands, name) ? await commands[name]!.load() : undefined;
  if (command === undefined || typeof command === 'function') return [];
  if (!current.startsWith('-')) return following[name] ?? [];
  return [...Object.keys(command.options).map((flag) => `--${flag}`), '--help'];
}
