import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Json, type JsonObject, parseApiVersion } from '#machinery/meta.ts';
import { createThreeWayMergePatch } from '#machinery/patch/merge-patch.ts';
import { createThreeWayStrategicPatch } from '#machinery/patch/strategic-diff.ts';
import { dumpYaml } from '#machinery/yaml.ts';
import type { CommandContext } from '../../context.ts';
import { describeFailure, ExitError } from '../../failures.ts';
import { arrayFlag, booleanFlag, type FlagValues, integerFlag, textFlag, textFlagWith } from '../../flags.ts';
import { lastApplied, withLastApplied } from '../../manifests/last-applied.ts';
import { metadataOf, withMetadata } from '../../manifests/objects.ts';
import { createObject, patchTarget, schemaOf } from '../../manifests/patches.ts';
import {
  hasFiles,
  type LoadedTarget,
  loadIfPresent,
  manifestTargets,
  selectedTargets,
  throwProblems,
} from '../../manifests/targets.ts';
import { withoutManagedFields } from '../../output/printers.ts';
import { fileFlags } from '../../resources/files.ts';
import { defineVerb } from '../../verb.ts';
import { prunable } from '../apply/prune.ts';

const flags = {
  ...fileFlags,
  concurrency: integerFlag(1, 'Number of objects to process in parallel when diffing against the live version.'),
  'field-manager': textFlagWith('kubectl-client-side-apply', 'Name of the manager used to track field ownership.'),
  'force-conflicts': booleanFlag('If true, server-side apply will force the changes against conflicts.'),
  prune: booleanFlag('Include resources that would be deleted by pruning. Can be used with -l.'),
  'prune-allowlist': arrayFlag('Overwrite the default allowlist with <group/version/kind> for --prune'),
  selector: textFlag('Selector (label query) to filter on.', { short: 'l' }),
  'server-side': booleanFlag('If true, apply runs in the server instead of the client.'),
  'show-managed-fields': booleanFlag('If true, include managed fields in the diff.'),
  'show-secrets': booleanFlag('If true, do not mask secret values in the diff.'),
} as const;

type DiffFlags = FlagValues<typeof flags>;

/** Ends the program when something went wrong: 1 already says that there are differences. */
const failureCode = 2;

export const diff = defineVerb({
  name: 'diff',
  summary: 'Diff the live version against a would-be applied version',
  about:
    'Shows what an apply would change. Exit code 0: nothing; 1: something; more: it could not be found out. KUBECTL_EXTERNAL_DIFF names another program than diff.',
  usage: '-f FILENAME',
  flags,
  async run(context, values) {
    if (!hasFiles(values)) throw new ExitError(failureCode, 'error: must specify one of -f and -k');
    const folder = mkdtempSync(join(tmpdir(), 'kubectl-diff-'));
    try {
      const [live, merged] = [join(folder, 'LIVE'), join(folder, 'MERGED')];
      for (const each of [live, merged]) mkdirSync(each);
      await writeStates(context, values, { live, merged });
      return await compare(context, live, merged);
    } catch (error) {
      throw error instanceof ExitError ? error : new ExitError(failureCode, describeFailure(error));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
});

interface Folders {
  readonly live: string;
  readonly merged: string;
}

async function writeStates(context: CommandContext, values: DiffFlags, { live, merged }: Folders): Promise<void> {
  const { targets, problems } = await manifestTargets(context, values);
  throwProblems(problems);
  const show = (object: JsonObject): string =>
    dumpYaml(values['show-managed-fields'] ? object : withoutManagedFields(object));
  const chosen = selectedTargets(targets, values.selector);
  const seen: JsonObject[] = [];
  for (const target of chosen) {
    const before = await loadIfPresent(context, target);
    const after = await wouldBe(context, target, before, values);
    const shows = values['show-secrets'] || before === undefined;
    const [from, to] = shows ? [before, after] : masked(target, before, after);
    if (from !== undefined) writeFileSync(join(live, fileName(target)), show(from));
    writeFileSync(join(merged, fileName(target)), show(to));
    seen.push(before ?? after);
  }
  if (!values.prune) return;
  const gone = await prunable(context, {
    allowlist: values['prune-allowlist'],
    selector: values.selector,
    keep: new Set(seen.map((object) => metadataOf(object).uid)),
    namespaces: new Set(chosen.flatMap(({ namespace }) => namespace ?? [])),
  });
  for (const target of gone) writeFileSync(join(live, fileName(target)), show(target.object));
}

function fileName({ object, info, namespace = '', name }: LoadedTarget): string {
  const { group, version } = parseApiVersion(String(object['apiVersion']));
  return [group, version, info.kind, namespace, name].filter((part) => part !== '').join('.');
}

/** What the server would store, by a dry run. */
function wouldBe(
  context: CommandContext,
  target: LoadedTarget,
  before: JsonObject | undefined,
  values: DiffFlags,
): Promise<JsonObject> {
  const fieldManager = values['field-manager'];
  if (values['server-side']) {
    const request = { type: 'apply', body: target.object, dryRun: 'server', fieldManager } as const;
    return patchTarget(context, target, { ...request, force: values['force-conflicts'] || undefined });
  }
  if (before === undefined) return createObject(context, target, { dryRun: 'server', fieldManager });
  // The annotation of apply is no change that anybody wants to see.
  const original = lastApplied(before) ?? {};
  const hidden = withMetadata(target.object, { annotations: { ...metadataOf(target.object).annotations } });
  const modified = lastApplied(before) === undefined ? hidden : keepAnnotation(hidden, before);
  const schema = schemaOf(target.info);
  const body =
    schema === undefined
      ? createThreeWayMergePatch(original, modified, before)
      : createThreeWayStrategicPatch(original, modified, before, schema);
  const type = schema === undefined ? 'merge' : 'strategic';
  return patchTarget(context, target, { type, body, dryRun: 'server', fieldManager });
}

function keepAnnotation(object: JsonObject, live: JsonObject): JsonObject {
  const key = 'kubectl.kubernetes.io/last-applied-configuration';
  const text = metadataOf(live).annotations?.[key] ?? metadataOf(withLastApplied(object)).annotations?.[key] ?? '';
  return withMetadata(object, { annotations: { ...metadataOf(object).annotations, [key]: text } });
}

/** Nobody's secrets on a screen: values that stay become `***`, values that change say before and after. */
function masked({ info }: LoadedTarget, before: JsonObject, after: JsonObject): readonly [JsonObject, JsonObject] {
  if (info.kind !== 'Secret' || info.group !== '') return [before, after];
  const [from, to] = [before['data'] ?? {}, after['data'] ?? {}] as [JsonObject, JsonObject];
  const mask = (own: JsonObject, other: JsonObject, mark: string): JsonObject =>
    Object.fromEntries(
      Object.entries(own).map(([key, value]): [string, Json] => [
        key,
        other[key] === undefined || other[key] === value ? '***' : `*** (${mark})`,
      ]),
    );
  return [
    { ...before, data: mask(from, to, 'before') },
    { ...after, data: mask(to, from, 'after') },
  ];
}

function compare(context: CommandContext, live: string, merged: string): Promise<number> {
  const { io } = context;
  const [program = 'diff', ...options] = (io.env['KUBECTL_EXTERNAL_DIFF'] || 'diff -u -N').split(' ');
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...options, live, merged], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', (chunk: Uint8Array) => io.stdout.write(chunk));
    child.stderr.on('data', (chunk: Uint8Array) => io.stderr.write(chunk));
    child.once('error', () => {
      reject(new ExitError(failureCode, `error: failed to run "${program}": executable file not found in $PATH`));
    });
    child.once('close', (code) => resolve(code ?? failureCode));
  });
}
