import { notFound } from '#machinery/errors.ts';
import { compileJsonPath } from '#machinery/jsonpath/evaluate.ts';
import type { Condition, Json, JsonObject } from '#machinery/meta.ts';
import type { CommandContext } from '../../context.ts';
import { CliError } from '../../failures.ts';
import { arrayFlag, booleanFlag, durationFlag, type FlagValues, textFlag } from '../../flags.ts';
import { metadataOf, valueAt, withKind } from '../../manifests/objects.ts';
import { selectionOf, selectTargets, type Target, targetLabel, throwProblems } from '../../manifests/targets.ts';
import { untilObject, WaitTimeout } from '../../manifests/watch.ts';
import { objectPrinter, printFlags } from '../../output/printers.ts';
import { isNotFound } from '../../resources/fetch.ts';
import { fileFlags } from '../../resources/files.ts';
import { defineVerb } from '../../verb.ts';

const flags = {
  ...fileFlags,
  ...printFlags,
  all: booleanFlag('Select all resources in the namespace of the specified resource types'),
  'all-namespaces': booleanFlag('If present, list the requested object(s) across all namespaces.', { short: 'A' }),
  'field-selector': textFlag('Selector (field query) to filter on.'),
  for: arrayFlag(
    "The condition to wait on: [create|delete|condition=condition-name[=condition-value]|jsonpath='{JSONPath expression}'=[JSONPath value]].",
  ),
  local: booleanFlag('If true, annotation will NOT contact api-server but run locally.'),
  selector: textFlag('Selector (label query) to filter on', { short: 'l' }),
  timeout: durationFlag(
    30_000,
    "The length of time to wait before giving up. Zero means check once and don't wait, negative means wait for a week.",
  ),
} as const;

const weekMs = 7 * 24 * 3600 * 1000;

/** When an object is as wanted; undefined stands for one that is not there. */
interface Wish {
  readonly isMet: (object: JsonObject | undefined) => boolean;
  readonly done: string;
  readonly allowsAbsence: boolean;
  readonly isDeletion?: boolean;
}

export const wait = defineVerb({
  name: 'wait',
  summary: 'Wait for a specific condition on one or many resources',
  usage:
    "([-f FILENAME] | resource.group/resource.name | resource.group [(-l label | --all)]) [--for=create|--for=delete|--for condition=available|--for=jsonpath='{}'[=value]]",
  examples: `
# Until a pod is ready
kubectl wait --for=condition=Ready pod/web-0

# Until it runs
kubectl wait --for=jsonpath='{.status.phase}'=Running pod/web-0

# Until it is gone
kubectl wait --for=delete pod/web-0 --timeout=60s`,
  flags,
  run: runWait,
});

async function runWait(
  context: CommandContext,
  values: FlagValues<typeof flags>,
  args: readonly string[],
): Promise<number> {
  const wishes = values.for.map(wishOf);
  const [wish] = wishes;
  if (wish === undefined) throw new CliError('unrecognized condition: []');
  const print = await objectPrinter(values);
  const timeoutMs = values.timeout < 0 ? weekMs : values.timeout;
  const deadline = context.clock.monotonic() + timeoutMs;
  const { targets, problems } = await selectTargets(context, selectionOf(args, values));
  throwProblems(problems);
  if (targets.length === 0) {
    if (wish.isDeletion) return 0;
    throw new CliError('no matching resources found');
  }
  const failures: unknown[] = [];
  for (const target of targets) {
    try {
      for (const each of wishes) {
        const { object, wasThere } = await fulfil(
          context,
          target,
          each,
          Math.max(0, deadline - context.clock.monotonic()),
        );
        // What never was there has not been deleted either.
        if (!wasThere) continue;
        if (print === undefined) context.out(`${targetLabel(target)} ${each.done}\n`);
        else if (object !== undefined) context.out(print(withKind(object, target.info)));
      }
    } catch (error) {
      failures.push(error);
    }
  }
  throwProblems(failures);
  return 0;
}

async function fulfil(
  context: CommandContext,
  target: Target,
  wish: Wish,
  timeoutMs: number,
): Promise<{ readonly object: JsonObject | undefined; readonly wasThere: boolean }> {
  let last: JsonObject | undefined;
  let seen = false;
  let uid: string | undefined;
  try {
    await untilObject(
      context,
      target,
      (object) => {
        if (object === undefined && !seen && !wish.allowsAbsence) {
          throw notFound(target.info, target.name);
        }
        seen = true;
        uid ??= object === undefined ? undefined : metadataOf(object).uid;
        last = object;
        // Another object under the same name means that the one waited for is gone.
        const isOther = object !== undefined && metadataOf(object).uid !== uid;
        return wish.isMet(isOther && wish.isDeletion ? undefined : object) ? true : undefined;
      },
      { timeoutMs: Math.max(timeoutMs, 1) },
    );
    return { object: last, wasThere: uid !== undefined };
  } catch (error) {
    if (isNotFound(error) && wish.allowsAbsence) return { object: undefined, wasThere: false };
    if (!(error instanceof WaitTimeout)) throw error;
    if (last === undefined) throw new CliError('timed out waiting for the condition');
    throw new CliError(`timed out waiting for the condition on ${target.info.resource}/${target.name}`);
  }
}

function wishOf(text: string): Wish {
  const lower = text.toLowerCase();
  if (lower === 'delete')
    return { isMet: (object) => object === undefined, done: 'condition met', allowsAbsence: true, isDeletion: true };
  if (lower === 'create')
    return { isMet: (object) => object !== undefined, done: 'condition met', allowsAbsence: true };
  if (lower.startsWith('condition=')) return conditionWish(text.slice('condition='.length));
  if (lower.startsWith('jsonpath=')) return jsonPathWish(text.slice('jsonpath='.length));
  throw new CliError(`unrecognized condition: ${JSON.stringify(text)}`);
}

function conditionWish(text: string): Wish {
  const [name = '', value = 'true'] = text.split('=', 2);
  return {
    done: 'condition met',
    allowsAbsence: false,
    isMet(object) {
      const conditions = (valueAt(object, 'status', 'conditions') ?? []) as unknown as readonly Condition[];
      const found = conditions.find(({ type }) => type.toLowerCase() === name.toLowerCase());
      if (found === undefined || found.status.toLowerCase() !== value.toLowerCase()) return false;
      // A condition about an older state of the object says nothing about this one.
      const generation = object === undefined ? 0 : (metadataOf(object).generation ?? 0);
      const observed =
        found.observedGeneration ?? (valueAt(object, 'status', 'observedGeneration') as number | undefined);
      return observed === undefined || observed >= generation;
    },
  };
}

function jsonPathWish(text: string): Wish {
  const match = /^'?"?(\{.*\}|[^=]+?)"?'?(?:==?(.*))?$/.exec(text);
  const [, path = '', value] = match ?? [];
  if (path === '') throw new CliError('jsonpath wait condition cannot be empty');
  const expression = path.startsWith('{') ? path : `{${path.startsWith('.') ? '' : '.'}${path}}`;
  let evaluate: (data: Json) => string;
  try {
    evaluate = compileJsonPath(expression, { allowMissingKeys: true });
  } catch (error) {
    throw new CliError((error as Error).message);
  }
  const wanted = value === undefined ? undefined : value.replace(/^(['"])(.*)\1$/, '$2');
  return {
    done: 'condition met',
    allowsAbsence: false,
    isMet(object) {
      if (object === undefined) return false;
      const found = evaluate(object);
      return wanted === undefined ? found !== '' : found.trim() === wanted.trim();
    },
  };
}
