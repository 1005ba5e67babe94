import { resourceRows } from '#kinds/resources.ts';
import { ApiError } from '#machinery/errors.ts';
import { apiVersionOf, type JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../context.ts';
import type { ResourceInfo } from '../discovery/mapper.ts';
import { CliError, UsageError } from '../failures.ts';
import { booleanFlag, type Flags, type FlagValues, textFlagWith } from '../flags.ts';
import { printFlags, resultPrinter, typedPrinter } from '../output/printers.ts';
import { defineVerb, type Verb } from '../verb.ts';
import { dryRunFlags, dryRunOf, dryRunSuffix } from './dry-run.ts';
import { withLastApplied } from './last-applied.ts';
import { metadataOf, withKind, withMetadata } from './objects.ts';
import { createObject } from './patches.ts';
import { fieldValidationOf, validateFlags } from './validation.ts';

/** Flags of every command that makes one object out of its arguments. */
export const generateFlags = {
  ...printFlags,
  ...dryRunFlags,
  ...validateFlags,
  'save-config': booleanFlag(
    'If true, the configuration of current object will be saved in its annotation. Otherwise, the annotation will be unchanged.',
  ),
} as const;

export type GenerateFlags = Pick<
  FlagValues<typeof generateFlags>,
  keyof typeof printFlags | 'dry-run' | 'save-config'
> & {
  readonly validate?: string;
};

export interface Generator<Set extends Flags>
  extends Pick<Verb, 'name' | 'aliases' | 'summary' | 'about' | 'usage' | 'examples'> {
  readonly flags: Set;
  /** Flags that must be given, which is looked at before the name. */
  readonly required?: readonly (keyof Set & string)[];
  /** The object that name and flags describe, without a namespace. `command` is what stands behind `--`. */
  build(question: GeneratorQuestion<Set>): JsonObject | Promise<JsonObject>;
}

export interface GeneratorQuestion<Set> {
  readonly name: string;
  readonly command: readonly string[];
  readonly flags: FlagValues<Set>;
  readonly context: CommandContext;
}

/** A command `create KIND NAME`. */
export function defineGenerator<const Set extends Flags>(generator: Generator<Set>): Verb {
  const { build, flags, required = [], ...described } = generator;
  return defineVerb({
    ...described,
    flags: {
      ...generateFlags,
      'field-manager': textFlagWith('kubectl-create', 'Name of the manager used to track field ownership.'),
      ...flags,
    } as Flags,
    async run(context, values, args) {
      const missing = required.filter((flag) => !context.changed.has(flag)).sort();
      if (missing.length > 0) {
        throw new CliError(`required flag(s) ${missing.map((flag) => JSON.stringify(flag)).join(', ')} not set`);
      }
      const [name, ...command] = args;
      if (name === undefined || (command.length > 0 && context.argsBeforeDash !== 1)) {
        const count = context.argsBeforeDash ?? args.length;
        throw new UsageError(`exactly one NAME is required, got ${count}`);
      }
      const generated = values as unknown as FlagValues<Set> & GenerateFlags & { readonly 'field-manager': string };
      const object = await build({ name, command, flags: generated, context });
      await createGenerated(context, object, { flags: generated, fieldManager: generated['field-manager'] });
      return 0;
    },
  });
}

export interface CreateGeneratedOptions {
  readonly flags: GenerateFlags;
  readonly fieldManager: string;
  /** What the result says was done. */
  readonly operation?: string;
  /** Refusals stand alone, without what could not be created. */
  readonly isPlain?: boolean;
}

/** Creates (or with a dry run only shows) an object of a built-in kind, and prints it. */
export async function createGenerated(
  context: CommandContext,
  object: JsonObject,
  { flags, fieldManager, operation = 'created', isPlain = false }: CreateGeneratedOptions,
): Promise<JsonObject> {
  const dryRun = dryRunOf(context, flags);
  const print = await resultPrinter(flags, operation, dryRunSuffix(dryRun), typedPrinter);
  const info = builtInOf(object);
  const placed = info.namespaced ? inNamespace(context, object, dryRun === 'client') : object;
  const sent = flags['save-config'] ? withLastApplied(placed) : placed;
  let result = sent;
  if (dryRun !== 'client') {
    const namespace = metadataOf(inNamespace(context, sent, false)).namespace;
    const fieldValidation = flags.validate === undefined ? undefined : fieldValidationOf({ validate: flags.validate });
    try {
      const options = { dryRun, fieldManager, fieldValidation };
      result = await createObject(context, { info, namespace, object: sent }, options);
    } catch (error) {
      throw isPlain ? error : failedToCreate(info, error);
    }
  }
  context.out(print(withKind(result, info)));
  return result;
}

/** Kinds whose refusals stand alone. */
const plainlyRefused = new Set(['Namespace', 'Role', 'ClusterRole']);
const otherNames: Readonly<Record<string, string>> = {
  ResourceQuota: 'quota',
  PodDisruptionBudget: 'poddisruptionbudgets',
};

function failedToCreate({ kind }: ResourceInfo, error: unknown): unknown {
  if (!(error instanceof ApiError) || plainlyRefused.has(kind)) return error;
  const name = otherNames[kind] ?? kind.toLowerCase();
  return new CliError(`failed to create ${name}${kind === 'Secret' ? '' : ':'} ${error.message}`);
}

/** An object that only gets printed names a namespace when the command line did. */
function inNamespace(context: CommandContext, object: JsonObject, onlyExplicit: boolean): JsonObject {
  if (onlyExplicit && !context.namespaceIsExplicit) return object;
  return withMetadata(object, { namespace: metadataOf(object).namespace ?? context.namespace() });
}

/** A built-in resource by its object's kind; asks no server. */
export function builtInOf(object: JsonObject): ResourceInfo {
  const row = resourceRows.find((each) => each.kind === object['kind'] && apiVersionOf(each) === object['apiVersion']);
  if (row === undefined) throw new Error(`no built-in kind ${String(object['apiVersion'])} ${String(object['kind'])}`);
  return { ...row, versionRank: 0, subresources: row.subresources.map(({ name }) => name) };
}
