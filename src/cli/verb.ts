import type { CommandContext } from './context.ts';
import type { Flags, FlagValues } from './flags.ts';

/** A command of kubectl. Its folder under `verbs/` holds it; `verbs/index.ts` lists it. */
export interface Verb<Set extends Flags = Flags> {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** One line for lists of commands. */
  readonly summary: string;
  /** What stands behind the name: `(TYPE[.VERSION][.GROUP] [NAME | -l label] | TYPE/NAME) [flags]`. */
  readonly usage: string;
  /** What it does, in a few sentences; `summary` when absent. */
  readonly about?: string;
  /** Lines such as `# comment` and `kubectl get pods`. */
  readonly examples?: string;
  readonly flags: Set;
  /** Commands below it: `rollout status`. Without `run`, one of them must be named. */
  readonly commands?: readonly VerbEntry[];
  /** Resolves with the exit code. Throws CliError, UsageError, ApiError, ExitError or AggregateError to fail. */
  readonly run?: (context: CommandContext, flags: FlagValues<Set>, args: readonly string[]) => Promise<number>;
  /** Hands every argument to `args` unread (`__complete`). */
  readonly rawArguments?: boolean;
  /** Candidates for the argument after `args`, one a line with an optional description behind a tab. */
  readonly complete?: (context: CommandContext, args: readonly string[]) => Promise<readonly string[]>;
}

/** A command in a list, loaded when it is called. */
export interface VerbEntry {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly hidden?: boolean;
  /** The heading of the overview that it stands under. */
  readonly group?: string;
  readonly load: () => Promise<Verb>;
}

/** Gives `run` the types of its flags, then forgets them: verbs of all flag sets stand in one list. */
export function defineVerb<const Set extends Flags>(verb: Verb<Set>): Verb {
  return verb as unknown as Verb;
}

/** The entry of a verb that is there already: for commands below another. */
export function entryOf(verb: Verb): VerbEntry {
  const { name, aliases, summary } = verb;
  return { name, ...(aliases === undefined ? {} : { aliases }), summary, load: async () => verb };
}
