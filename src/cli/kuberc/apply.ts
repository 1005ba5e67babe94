import type { Flags } from '../flags.ts';
import { type Alias, type Defaults, notApplied } from './preferences.ts';

/** Puts the command and arguments of an alias in its place. */
export function expandAlias(alias: Alias, args: readonly string[]): readonly string[] {
  const at = args.indexOf(alias.name);
  const { command, prependArgs = [], appendArgs = [] } = alias;
  return [...args.slice(0, at), ...words(command), ...prependArgs, ...args.slice(at + 1), ...appendArgs];
}

/** Flags for a command that its command line does not set. `path` is `kubectl set env`. Throws ExitError. */
export function defaultArguments(
  defaults: readonly Defaults[],
  path: string,
  { flags, changed }: { readonly flags: Flags; readonly changed: ReadonlySet<string> },
): readonly string[] {
  return defaults
    .filter(({ command }) => `kubectl ${words(command).join(' ')}` === path)
    .flatMap(({ command, options }) =>
      options.flatMap(({ name, default: value }) => {
        if (!Object.hasOwn(flags, name)) throw notApplied(`invalid flag ${name} for command ${command}`);
        return changed.has(name) ? [] : [`--${name}=${value}`];
      }),
    );
}

const words = (command: string): readonly string[] => command.split(/\s+/).filter((word) => word !== '');

/** Commands of a person's defaults that there are none of, by their first word. */
export const unknownDefaults = (defaults: readonly Defaults[], isKnown: (word: string) => boolean): readonly string[] =>
  defaults.map(({ command }) => command).filter((command) => !isKnown(words(command)[0] ?? ''));
