import type { JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../context.ts';
import { booleanFlag, textFlag, textFlagWith } from '../flags.ts';
import { objectPrinter, type PrintFlags, printFlags, typedPrinter } from '../output/printers.ts';
import { fileFlags } from '../resources/files.ts';
import { type DryRun, dryRunFlags, dryRunSuffix } from './dry-run.ts';
import { withKind } from './objects.ts';
import { patchBetween, patchTarget } from './patches.ts';
import {
  type LoadedTarget,
  loadTargets,
  manifestTargets,
  type Selection,
  type SelectOptions,
  targetLabel,
  visitTargets,
} from './targets.ts';

/** Flags of commands that change something about objects. */
export const modifyFlags = (fieldManager: string) =>
  ({
    ...fileFlags,
    ...printFlags,
    ...dryRunFlags,
    all: booleanFlag('Select all resources, in the namespace of the specified resource types'),
    'field-manager': textFlagWith(fieldManager, 'Name of the manager used to track field ownership.'),
    local: booleanFlag('If true, the command will NOT contact the api-server but run locally.'),
    selector: textFlag('Selector (label query) to filter on.', { short: 'l' }),
  }) as const;

export interface ModifyOptions {
  readonly flags: PrintFlags & { readonly local?: boolean };
  readonly dryRun: DryRun;
  readonly fieldManager: string;
  /** The object as it shall be; the same value when there is nothing to change. */
  readonly change: (object: JsonObject, target: LoadedTarget) => JsonObject | Promise<JsonObject>;
  /** Holds objects in structs, whose JSON is not sorted. */
  readonly isTyped?: boolean;
  /** What the result says was done. */
  readonly operation: string | ((before: JsonObject, after: JsonObject) => string);
}

/** The chosen objects: from the server, or with `--local` as their manifests have them. */
export function chosenTargets(
  context: CommandContext,
  options: SelectOptions,
  { local }: { readonly local: boolean },
): Promise<Selection<LoadedTarget>> {
  return local && options.files !== undefined ? manifestTargets(context, options.files) : loadTargets(context, options);
}

/** Changes each object by a patch and says so, going on after failures. */
export async function modifyTargets(
  context: CommandContext,
  selection: Selection<LoadedTarget>,
  options: ModifyOptions,
): Promise<void> {
  const { flags, dryRun, fieldManager, change, operation, isTyped = false } = options;
  const print = await (isTyped ? typedPrinter : objectPrinter)(flags);
  await visitTargets(selection, async (target) => {
    const after = await change(target.object, target);
    const patch = patchBetween(target.info, target.object, after);
    const isSent = patch !== undefined && dryRun !== 'client' && flags.local !== true;
    const result = isSent ? await patchTarget(context, target, { ...patch, dryRun, fieldManager }) : after;
    const done = typeof operation === 'string' ? operation : operation(target.object, after);
    if (print !== undefined) context.out(print(withKind(result, target.info)));
    else context.out(`${targetLabel(target)} ${done}${dryRunSuffix(dryRun)}\n`);
  });
}
