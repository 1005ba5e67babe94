import { createInterface } from 'node:readline';
import type { JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../../context.ts';
import { CliError } from '../../failures.ts';
import { textFlagWith } from '../../flags.ts';
import {
  type Preferences,
  preferencesFile,
  readPreferences,
  recommendedPreferences,
  writePreferences,
} from '../../kuberc/preferences.ts';
import { objectPrinter, printFlags } from '../../output/printers.ts';
import { defineVerb } from '../../verb.ts';

export const viewPreferences = defineVerb({
  name: 'view',
  summary: 'Display the current kuberc configuration',
  usage: '',
  flags: { ...printFlags, output: textFlagWith('yaml', printFlags.output.usage, { short: 'o' }) },
  async run(context, flags) {
    const path = pathOf(context);
    const found = readPreferences(path.path);
    if (found === undefined && path.isExplicit) throw new CliError(`kuberc file not found at ${path.path}`);
    if (found === undefined) return offer(context, path.path);
    const print = await objectPrinter(flags);
    context.out(print?.(found as unknown as JsonObject) ?? '');
    return 0;
  },
});

/** The file of preferences. Throws CliError where they are off. */
export function pathOf({ io, globals }: CommandContext): NonNullable<ReturnType<typeof preferencesFile>> {
  const file = preferencesFile(io, globals.kuberc);
  if (file === undefined) throw new CliError('KUBERC is disabled via KUBERC=off environment variable');
  return file;
}

async function offer(context: CommandContext, path: string): Promise<number> {
  context.out(`kuberc file not found at ${path}\n`);
  context.out('Would you like to generate a default kuberc file with recommended options? (y/N): ');
  if ((await firstLine(context)).trim().toLowerCase() !== 'y') return 0;
  savePreferences(context, path, recommendedPreferences);
  return 0;
}

export function savePreferences(context: CommandContext, path: string, preferences: Preferences): void {
  writePreferences(path, preferences);
  context.out(`Updated ${path}\n`);
}

async function firstLine({ io }: CommandContext): Promise<string> {
  const lines = createInterface({ input: io.stdin, signal: io.signal });
  try {
    for await (const line of lines) return line;
    return '';
  } finally {
    lines.close();
  }
}
