import { sleep } from '#base/clock.ts';
import { ApiError } from '#machinery/errors.ts';
import { apiVersionOf, type JsonObject } from '#machinery/meta.ts';
import { applyMergePatch, createThreeWayMergePatch } from '#machinery/patch/merge-patch.ts';
import { createThreeWayStrategicPatch } from '#machinery/patch/strategic-diff.ts';
import { applyStrategicPatch } from '#machinery/patch/strategic-patch.ts';
import type { CommandContext } from '../../context.ts';
import { CliError } from '../../failures.ts';
import { deleteTarget } from '../../manifests/deletion.ts';
import { whileDoing, withPrefix } from '../../manifests/failures.ts';
import { lastApplied, lastAppliedAnnotation, lastAppliedText, withLastApplied } from '../../manifests/last-applied.ts';
import { goJson, metadataOf } from '../../manifests/objects.ts';
import { createObject, type PatchType, patchTarget, schemaOf } from '../../manifests/patches.ts';
import { type LoadedTarget, loadIfPresent, targetPath } from '../../manifests/targets.ts';
import type { Applied, ApplyOptions } from './apply.ts';

/** Patches answered with a conflict that are tried again. */
const maximumConflicts = 5;
const conflictPauseMs = 1000;

interface ManifestPatch {
  readonly type: PatchType;
  readonly body: JsonObject;
}

/** Creates the object, or patches what differs between the last manifest, this one and the live object. */
export async function applyOnClient(
  context: CommandContext,
  target: LoadedTarget,
  options: ApplyOptions,
): Promise<Applied> {
  if (target.name === '') return whenNameless(target);
  const current = await currentOf(context, target);
  const modified = { ...target, object: withLastApplied(target.object) };
  if (current === undefined) return create(context, modified, options);
  warnAbout(context, target, current);
  try {
    return await patchOnto(context, modified, current, options);
  } catch (error) {
    const isRefused = error instanceof ApiError && (error.reason === 'Conflict' || error.reason === 'Invalid');
    if (!options.flags.force || !isRefused) throw error;
    return recreate(context, modified, options);
  }
}

function whenNameless({ source, object }: LoadedTarget): never {
  const generateName = metadataOf(object).generateName ?? '';
  const why =
    generateName === ''
      ? 'resource name may not be empty'
      : `from ${generateName}: cannot use generate name with apply`;
  throw new CliError(
    generateName === '' ? `error when retrieving current configuration of:\nfrom server for: "${source}": ${why}` : why,
  );
}

async function currentOf(context: CommandContext, target: LoadedTarget): Promise<JsonObject | undefined> {
  try {
    return await loadIfPresent(context, target);
  } catch (error) {
    throw withPrefix(
      `error when retrieving current configuration of:\n${describe(target)}\nfrom server for: "${target.source}": `,
      error,
    );
  }
}

function describe({ info, name, namespace = '' }: LoadedTarget): string {
  const version = apiVersionOf(info);
  return `Resource: "${version}, Resource=${info.resource}", GroupVersionKind: "${version}, Kind=${info.kind}"\nName: "${name}", Namespace: "${namespace}"`;
}

async function create(context: CommandContext, target: LoadedTarget, options: ApplyOptions): Promise<Applied> {
  if (options.dryRun === 'client') return { object: target.object, operation: 'created' };
  try {
    return { object: await createObject(context, target, options), operation: 'created' };
  } catch (error) {
    throw whileDoing('creating', target.source, error);
  }
}

function warnAbout(context: CommandContext, { info, name }: LoadedTarget, current: JsonObject): void {
  if (lastAppliedText(current) === undefined) {
    context.err(
      `Warning: resource ${info.resource}/${name} is missing the ${lastAppliedAnnotation} annotation which is required by kubectl apply. kubectl apply should only be used on resources created declaratively by either kubectl create --save-config or kubectl apply. The missing annotation will be patched automatically.\n`,
    );
  }
  if (metadataOf(current).deletionTimestamp !== undefined) {
    context.err(`Warning: Detected changes to resource ${name} which is currently being deleted.\n`);
  }
}

async function patchOnto(
  context: CommandContext,
  target: LoadedTarget,
  live: JsonObject,
  options: ApplyOptions,
): Promise<Applied> {
  let current = live;
  for (let attempt = 0; ; attempt++) {
    const patch = manifestPatch(target, current);
    if (Object.keys(patch.body).length === 0) return { object: current, operation: 'unchanged' };
    if (options.dryRun === 'client') return { object: patchedHere(target, current, patch), operation: 'configured' };
    try {
      return { object: await patchTarget(context, target, { ...patch, ...options }), operation: 'configured' };
    } catch (error) {
      const isConflict = error instanceof ApiError && error.reason === 'Conflict';
      if (!isConflict || attempt >= maximumConflicts) {
        const doing = whileDoing('patching', target.source, error);
        throw withPrefix(
          `error when applying patch:\n${goJson(patch.body)}\nto:\n${describe(target)}\nfor: "${target.source}": `,
          doing,
        );
      }
      if (attempt > 0) await sleep(context.clock, conflictPauseMs, context.signal);
      current = await context.request({ path: targetPath(target) });
    }
  }
}

/** What the manifest changes, and what it has dropped since it was applied last. */
function manifestPatch({ info, object }: LoadedTarget, current: JsonObject): ManifestPatch {
  const original = lastApplied(current) ?? {};
  const schema = schemaOf(info);
  if (schema === undefined) return { type: 'merge', body: createThreeWayMergePatch(original, object, current) };
  return { type: 'strategic', body: createThreeWayStrategicPatch(original, object, current, schema) };
}

/** What the server would make of the patch, as far as can be known without it. */
function patchedHere({ info }: LoadedTarget, current: JsonObject, { body }: ManifestPatch): JsonObject {
  const schema = schemaOf(info);
  return schema === undefined
    ? (applyMergePatch(current, body) as JsonObject)
    : applyStrategicPatch(current, body, schema);
}

/** `--force`: what no patch can change is deleted and made anew. */
async function recreate(context: CommandContext, target: LoadedTarget, options: ApplyOptions): Promise<Applied> {
  await deleteTarget(context, target, { cascade: 'background', gracePeriodSeconds: options.flags['grace-period'] });
  while ((await loadIfPresent(context, target)) !== undefined) {
    await sleep(context.clock, conflictPauseMs, context.signal);
  }
  return { ...(await create(context, target, options)), operation: 'configured' };
}
